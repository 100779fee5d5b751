/** The help of what is used at a bench, on a terminal of 80 columns. */
import { describe, expect, it } from "vitest";
import { sakuraio } from "../support/command.ts";

describe("the help is 80 columns wide at most", () => {
  it.each([["doctor"], ["ports"], ["module", "status"], ["module", "shell"], ["replay"], ["feed"]])(
    "%j",
    async (...verb) => {
      const { stdout } = await sakuraio(...verb, "--help");
      // A command line stays whole, for copying.
      const prose = stdout.split("\n").filter((line) => !/^ {2}.*\bsakuraio /.test(line));
      expect(prose.length).toBeGreaterThan(5);
      expect(prose.filter((line) => line.length > 80)).toEqual([]);
    },
  );
});
