/** Builds dist/ before the tests that run the command line, so that none of them runs yesterday's code. */
import { execFileSync } from "node:child_process";

export function setup(): void {
  execFileSync("npm", ["run", "--silent", "build"], {
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
}
