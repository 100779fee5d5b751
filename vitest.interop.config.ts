import { defineConfig } from "vitest/config";

/** Tests against programs that nobody here wrote and that `.ci/run` installs. A missing program is a failure. */
export default defineConfig({
  test: {
    include: ["test/interop/external/**/*.test.ts"],
    globalSetup: ["test/support/build.ts"],
    testTimeout: 60_000,
  },
});
