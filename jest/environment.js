// The native tree-sitter binding patches its prototypes when it is loaded. jest evaluates modules anew for every test
// file in one process, which breaks all but the first; so the binding is loaded once, out here, and handed in.
const { TestEnvironment } = require('jest-environment-node');
const Parser = require('tree-sitter');
const C = require('tree-sitter-c');

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global.__KPORT_NATIVE__ = { 'tree-sitter': Parser, 'tree-sitter-c': C };
  }
};
