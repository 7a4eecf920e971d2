module.exports = globalThis.__KPORT_NATIVE__['tree-sitter-c'];
