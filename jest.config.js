/** @type {import('jest').Config} */
module.exports = {
  globalSetup: '<rootDir>/jest/build.js',
  testEnvironment: '<rootDir>/jest/environment.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  moduleNameMapper: {
    '^tree-sitter$': '<rootDir>/jest/tree-sitter.js',
    '^tree-sitter-c$': '<rootDir>/jest/tree-sitter-c.js',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  testTimeout: 120000,
  maxWorkers: 2,
};
