// Writes schemas/*.schema.json from the built code. The test says when it has to be run again.
const fs = require('node:fs');
const path = require('node:path');
const { SCHEMAS, schemaText } = require('../dist/report/schema');

const dir = path.join(__dirname, '../schemas');
fs.mkdirSync(dir, { recursive: true });
for (const name of Object.keys(SCHEMAS)) fs.writeFileSync(path.join(dir, `${name}.schema.json`), schemaText(name));
