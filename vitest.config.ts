import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "examples/*.test.mjs"],
    exclude: ["test/interop/external/**", "**/node_modules/**"],
    globalSetup: ["test/support/build.ts"],
    testTimeout: 20_000,
    // An unhandled rejection anywhere is a failure, also of tests that passed.
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
