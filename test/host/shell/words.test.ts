/** How a shell's line is taken apart. */
import { describe, expect, it } from "vitest";
import { quoteWord, splitForCompletion, splitWords } from "../../../host/cli/module/shell-words.ts";

describe("a line", () => {
  it.each([
    ["", []],
    ["  \t ", []],
    ["# all of it", []],
    ["status # the rest", ["status"]],
    ["send  1:i=25\t2:f=23.5 ", ["send", "1:i=25", "2:f=23.5"]],
    ["echo 'a b' \"c 'd\" e\\ f", ["echo", "a b", "c 'd", "e f"]],
    ['"a \\"quoted\\" word" \'a \\ b\'', ['a "quoted" word', "a \\ b"]],
    ["-o C:\\dir\\file it\\'s", ["-o", "C:\\dir\\file", "it's"]],
    ["a#b '' \\#c", ["a#b", "", "#c"]],
    ["pre'quoted 'post", ["prequoted post"]],
    ["end\\", ["end\\"]],
  ])("%j", (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it("with an open quote is refused", () => {
    expect(() => splitWords("echo 'a b")).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(() => splitWords('echo "a b')).toThrow(/" is missing/);
  });

  it("is completed at its last word", () => {
    expect(splitForCompletion("sta")).toEqual({ before: [], typed: "sta" });
    expect(splitForCompletion("send ")).toEqual({ before: ["send"], typed: "" });
    expect(splitForCompletion("send 1:i=2 2:")).toEqual({ before: ["send", "1:i=2"], typed: "2:" });
    expect(splitForCompletion("file get 1 -o my\\ fi")).toEqual({
      before: ["file", "get", "1", "-o"],
      typed: "my\\ fi",
    });
    expect(quoteWord("my file's")).toBe("my\\ file\\'s");
  });
});
