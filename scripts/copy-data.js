// tsc copies no data files; the rule files beside the code (*.json, *.tsv, *.css, *.js.txt) go to dist/ here.
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const DATA = /\.(json|tsv|yaml|css|html|svg)$/;

for (const entry of fs.readdirSync(path.join(root, 'src'), { recursive: true })) {
  const from = path.join(root, 'src', entry);
  if (!DATA.test(entry) || !fs.statSync(from).isFile()) continue;
  const to = path.join(root, 'dist', entry);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}
