/** What Tab offers, for the shell's own verbs and for kinds of verbs. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shellCompleter } from "../../../host/cli/module/shell-completion.ts";

describe("at the shell's own verbs", () => {
  const complete = shellCompleter();
  it.each([
    ["sta", ["status "]],
    ["re", ["receive ", "reset "]],
    ["qu", ["queue ", "quit "]],
    ["help pow", ["power-save "]],
    ["help status ", []],
    ["power-save a", ["auto-sleep "]],
    ["clear ", ["tx ", "rx "]],
    ["clear tx ", []],
    ["send --i", ["--immediate "]],
    ["send --of", ["--offset "]],
    ["send --offset ", []],
    ["send --offset -5 1", ["1:"]],
    ["send 12:", ["12:i=", "12:I=", "12:l=", "12:L=", "12:f=", "12:d=", "12:b="]],
    ["send 1:i=5 2:f", ["2:f="]],
    ["queue --js", ["--json "]],
    ["raw RX_P", ["RX_PEEK "]],
    ["raw rx_p", ["rx_peek "]],
    ["nothing such ", []],
  ])("%j", (line, hits) => {
    expect(complete(line)).toEqual([hits, line.slice(line.lastIndexOf(" ") + 1)]);
  });

  it("offers every verb at an empty line", () => {
    expect(complete("")[0]).toEqual(expect.arrayContaining(["status ", "send ", "watch ", "help ", "exit ", "quit "]));
  });
});

describe("at verbs of verbs, and files", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sakuraio-tab-"));
    mkdirSync(join(directory, "down"));
    symlinkSync("down", join(directory, "elsewhere"));
    symlinkSync("gone", join(directory, "empty-link"));
    symlinkSync("endless", join(directory, "endless"));
    for (const name of ["data one.bin", "data2.bin", ".hidden"]) writeFileSync(join(directory, name), "");
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const grammar = new Command("VERB");
  const file = grammar.command("file");
  file
    .command("get")
    .argument("<N>")
    .option("-o, --output <FILE>")
    .addArgument(new Argument("[HOW]").choices(["slow", "fast"]));
  file.command("info").argument("<N>");
  const complete = shellCompleter(grammar);

  it("goes into them", () => {
    expect(complete("fi")[0]).toEqual(["file "]);
    expect(complete("file ")[0]).toEqual(expect.arrayContaining(["get ", "info "]));
    expect(complete("file get 1 s")[0]).toEqual(["slow "]);
    expect(complete("file get -o x.bin 1 f")[0]).toEqual(["fast "]);
    expect(complete("file get --o")[0]).toEqual(["--output "]);
  });

  it("offers files, blanks kept by a backslash, directories to go on with", () => {
    const offered = (typed: string): string[] => complete(`file get 1 -o ${directory}/${typed}`)[0];
    expect(offered("d")).toEqual([`${directory}/data2.bin `, `${directory}/data\\ one.bin `, `${directory}/down/`]);
    expect(offered("data\\ o")).toEqual([`${directory}/data\\ one.bin `]);
    expect(offered("e")).toEqual([`${directory}/elsewhere/`, `${directory}/empty-link `, `${directory}/endless `]);
    expect(offered(".h")).toEqual([`${directory}/.hidden `]);
    expect(offered("none/x")).toEqual([]);
  });
});
