// Before all tests: `bin/kport` must be built from the sources as they are now, for the tests run it as a user would.
// And git must not read anybody's configuration: test workers inherit what is set here.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

function newest(dir) {
  let latest = fs.statSync(dir).mtimeMs;
  for (const entry of fs.readdirSync(dir, { recursive: true })) {
    latest = Math.max(latest, fs.statSync(path.join(dir, entry)).mtimeMs);
  }
  return latest;
}

module.exports = () => {
  const built = path.join(root, 'dist/cli/main.js');
  if (!fs.existsSync(built) || fs.statSync(built).mtimeMs < newest(path.join(root, 'src'))) {
    execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
      cwd: root,
      stdio: 'inherit',
    });
    execFileSync(process.execPath, ['scripts/copy-data.js'], { cwd: root, stdio: 'inherit' });
  }
  for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) delete process.env[name];
  Object.assign(process.env, {
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C',
    TZ: 'UTC',
  });
};
