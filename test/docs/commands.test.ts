/** The command lines that the READMEs and docs/ show: each verb and each option of them exists. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sakuraio } from "../support/command.ts";
import { documents } from "../support/documents.ts";

const ROOT = new URL("../../", import.meta.url);

type Wants = "none" | "optional" | "one" | "many";

interface Help {
  readonly commands: ReadonlySet<string>;
  /** Each option, long and short, and what values it wants. */
  readonly options: ReadonlyMap<string, Wants>;
  readonly takesArguments: boolean;
}

/** `sakuraio VERB… --help`, read once. */
const helps = new Map<string, Promise<Help>>();
function helpOf(verb: readonly string[]): Promise<Help> {
  const key = verb.join(" ");
  const help = helps.get(key) ?? readHelp(verb);
  helps.set(key, help);
  return help;
}

async function readHelp(verb: readonly string[]): Promise<Help> {
  const { code, stdout } = await sakuraio(...verb, "--help");
  expect(code, `sakuraio ${verb.join(" ")} --help`).toBe(0);
  const [usage = ""] = stdout.split("\n\n");
  const rest = usage.replace(/\s+/g, " ").replace(`Usage: sakuraio ${verb.join(" ")}`, "");
  return {
    commands: new Set(Array.from(section(stdout, "Commands"), ([, name = ""]) => name)),
    options: new Map([...section(stdout, "Options"), ...section(stdout, "Global Options")].flatMap(optionsIn)),
    takesArguments: /[<[]/.test(rest.replace(/\[options\]|\[command\]/g, "")),
  };
}

/** The entries of a section: lines that are indented by two. */
function section(help: string, title: string): RegExpMatchArray[] {
  const [, text = ""] = new RegExp(`^${title}:\\n((?: .*\\n)+)`, "m").exec(help) ?? [];
  return [...text.matchAll(/^ {2}(\S+)(.*)$/gm)];
}

function optionsIn([line]: RegExpMatchArray): [string, Wants][] {
  const [flags = ""] = line.trim().split(/ {2,}/);
  const wants = flags.includes("...")
    ? "many"
    : flags.includes("<")
      ? "one"
      : flags.includes("[")
        ? "optional"
        : "none";
  return Array.from(flags.matchAll(/--?[\w-]+/g), ([flag]) => [flag, wants]);
}

/** What is wrong with a command line, or nothing. */
async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const verb: string[] = [];
  let help = await helpOf(verb);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word.startsWith("-") && word !== "-") {
      const [flag = "", joined] = word.split("=");
      const wants = help.options.get(flag);
      if (wants === undefined) return `sakuraio ${verb.join(" ")} has no ${flag}`;
      if (joined !== undefined || wants === "none") continue;
      const values = valuesAfter(words, i).slice(0, wants === "many" ? undefined : 1);
      if (values.length === 0 && wants !== "optional") return `${flag} has no value`;
      i += values.length;
    } else if (help.commands.has(word)) {
      verb.push(word);
      help = await helpOf(verb);
    } else if (!help.takesArguments) return `sakuraio ${verb.join(" ")} knows no ${word}`;
  }
  return undefined;
}

/** The words up to the next option. */
function valuesAfter(words: readonly string[], at: number): readonly string[] {
  const after = words.slice(at + 1);
  const end = after.findIndex((word) => word.startsWith("-") && word !== "-");
  return end === -1 ? after : after.slice(0, end);
}

/** The lines of a code block that are commands, without what follows them: a comment, a pipe. */
function commandsIn(text: string): string[][] {
  const found: string[][] = [];
  let fenced = false;
  // A backslash at the end joins the next line.
  for (const line of text.replace(/ \\\n\s*/g, " ").split("\n")) {
    if (line.trimStart().startsWith("```")) fenced = !fenced;
    const command = (fenced ? /^\s*(?:\$ )?sakuraio (.*)$/ : /^ {4,}(?:\$ )?sakuraio (.*)$/).exec(line)?.[1];
    if (command !== undefined) found.push(wordsOf(command));
  }
  return found;
}

function wordsOf(command: string): string[] {
  const words: string[] = [];
  for (const [word] of command.matchAll(/"[^"]*"|'[^']*'|\S+/g)) {
    if (/^[#|>&;]/.test(word)) break;
    words.push(word.replace(/^(["'])(.*)\1$/, "$2"));
  }
  return words;
}

describe("the command lines that are shown", () => {
  it.each(documents)("in %s exist", async (document) => {
    const wrong: string[] = [];
    for (const words of commandsIn(readFileSync(new URL(document, ROOT), "utf8"))) {
      const problem = await problemOf(words);
      if (problem !== undefined) wrong.push(`${words.join(" ")}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  });

  it("are found, and a wrong one is told", async () => {
    expect(commandsIn(readFileSync(new URL("README.md", ROOT), "utf8")).length).toBeGreaterThan(10);
    const text =
      '    sakuraio module --port "tcp:a:1?b=2" status   # looks\n```sh\n$ sakuraio tap --no-such-option x | less\n```\n';
    const [good = [], bad = []] = commandsIn(text);
    expect(good).toEqual(["module", "--port", "tcp:a:1?b=2", "status"]);
    expect(await problemOf(good)).toBeUndefined();
    expect(await problemOf(bad)).toBe("sakuraio tap has no --no-such-option");
    expect(await problemOf(["module", "--port", "tcp:a:1", "stat"])).toBe("sakuraio module knows no stat");
  });
});
