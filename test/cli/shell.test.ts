/** `sakuraio module shell` as people see it: keys pressed in a pseudo-terminal, and what the screen shows. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PluggableModule } from "../support/pluggable-module.ts";
import { Terminal, type TerminalOptions } from "../support/terminal.ts";

// Each wait has its own end; the whole of a test takes long where the machine is busy.
vi.setConfig({ testTimeout: 60_000 });

let module: PluggableModule;
let terminal: Terminal;
beforeEach(async () => {
  module = await PluggableModule.plugged();
});
afterEach(async () => {
  await terminal.close();
  await module.close();
});

/** At its first prompt. */
async function shell(options: TerminalOptions & { args?: readonly string[] } = {}): Promise<void> {
  const env = { XDG_STATE_HOME: module.directory, ...options.env };
  terminal = await Terminal.run(["module", "--port", module.uri, ...(options.args ?? []), "shell"], {
    ...options,
    env,
  });
  await terminal.shows(/^sakura>$/m);
}

/** The row with the cursor in it. */
function line(): string {
  return terminal.screen()[terminal.cursor.row] ?? "";
}

function lineIs(text: string): Promise<void> {
  return terminal.until(`the line "${text}"`, () => line() === text);
}

const atPrompt = () => lineIs("sakura>");
const historyOf = () => join(module.directory, "sakuraio", "shell-history");

/** Colours and the like. */
const SGR = /\u001b\[[0-9;]*m/;

describe.skipIf(process.platform !== "linux")("at the prompt", () => {
  it("a verb is carried out, its options too, and the next prompt comes", async () => {
    await shell();
    terminal.type("send 1:i=25 --offset 0\r");
    await terminal.shows("sent 1 value");
    await atPrompt();
    expect(module.log.messages).toMatchObject([{ payload: { channels: [{ channel: 1, type: "i", value: 25 }] } }]);
    terminal.type("queue --json\r");
    await terminal.shows('{"event":"queue"');
    terminal.type("quit\r");
    expect(await terminal.exited).toBe(0);
    expect(terminal.settings()).toMatch(/ icanon .* echo /s);
  });

  it("what is wrong is told and ends nothing", async () => {
    await shell();
    terminal.type("stauts\r");
    await terminal.shows("sakuraio: unknown command 'stauts'\n(Did you mean status?)");
    terminal.type("clear ty\r");
    await terminal.shows("value 'ty' is invalid for argument 'QUEUE'");
    terminal.type("send 1:i=x\r");
    await terminal.shows("type i takes an integer");
    terminal.type("echo 'open\r");
    await terminal.shows("within quotes");
    terminal.type("help nope\r");
    await terminal.shows("sakuraio: the line names no verb that there is");
    terminal.type("help clear\r");
    await terminal.shows("Usage: clear [options] <QUEUE>");
    await terminal.shows("  sakura> clear tx");
    await atPrompt();
  });

  it("up brings earlier lines back, also those of an earlier shell, and none twice", async () => {
    await shell();
    terminal.type("queue\recho 01\recho 01\r");
    await terminal.shows(/01 {2}1 byte.*\n.*\n01 {2}1 byte.*\nsakura>$/m);
    terminal.press("ctrl-d");
    expect(await terminal.exited).toBe(0);
    await terminal.close();
    expect(readFileSync(historyOf(), "utf8")).toBe("queue\necho 01\n");
    expect(statSync(historyOf()).mode & 0o777).toBe(0o600);
    await shell();
    terminal.press("up");
    await lineIs("sakura> echo 01");
    terminal.press("up");
    await lineIs("sakura> queue");
    terminal.press("down", "enter");
    await terminal.shows("01  1 byte");
  });

  it("a history that cannot be kept is told of once", async () => {
    writeFileSync(join(module.directory, "sakuraio"), "no directory");
    await shell();
    await terminal.shows("sakuraio: the history is not kept: ");
    terminal.type("echo 01\recho 02\r");
    await terminal.shows("02  1 byte");
    terminal.press("up", "up");
    await lineIs("sakura> echo 01");
    expect(
      terminal
        .history()
        .join("\n")
        .match(/not kept/g),
    ).toHaveLength(1);
  });

  it("a user without a home has no history, and is told so", async () => {
    await shell({ env: { XDG_STATE_HOME: undefined, HOME: "" } });
    await terminal.shows("sakuraio: the history is not kept: HOME names no directory");
    terminal.type("echo 01\r");
    await terminal.shows("01  1 byte");
  });

  it("Tab completes verbs, choices, options, names of commands and types", async () => {
    await shell();
    terminal.type("sta\t");
    await lineIs("sakura> status");
    terminal.press("ctrl-u");
    terminal.type("clear t\t");
    await lineIs("sakura> clear tx");
    terminal.press("ctrl-u");
    terminal.type("receive --fol\t");
    await lineIs("sakura> receive --follow");
    terminal.press("ctrl-u");
    terminal.type("raw get_uniq\t");
    await lineIs("sakura> raw get_unique_id");
    terminal.press("ctrl-u");
    terminal.type("send 1:i=5 2:\t\t");
    await terminal.shows("2:i=  2:I=  2:l=  2:L=  2:f=  2:d=  2:b=");
    await lineIs("sakura> send 1:i=5 2:");
    terminal.type("f=0.5\r");
    await terminal.shows("sent 2 values");
  });

  it("Ctrl+C stops the verb alone", async () => {
    await shell();
    terminal.type("receive --follow\r");
    module.deliver({ channel: 7, type: "i", value: -3 });
    await terminal.shows("ch   7  i  -3");
    terminal.press("ctrl-c");
    await atPrompt();
    terminal.type("queue\r");
    await terminal.shows("RX queue  0 queued");
  });

  it("Ctrl+C gives a line up; at an empty prompt it says how to leave, and then leaves", async () => {
    await shell();
    terminal.type("send 1:i");
    await lineIs("sakura> send 1:i");
    terminal.press("ctrl-c");
    await terminal.shows("sakura> send 1:i^C");
    await atPrompt();
    terminal.press("ctrl-c");
    await terminal.shows("Ctrl+C again, Ctrl+D or exit leaves");
    await atPrompt();
    terminal.press("ctrl-c");
    expect(await terminal.exited).toBe(0);
    expect(module.log.messages).toEqual([]);
  });

  it("lines typed ahead wait for their turn", async () => {
    await shell();
    terminal.type("echo 01\recho 02\n\r\necho 03\recho 04");
    await lineIs("sakura> echo 04");
    expect(
      terminal
        .history()
        .filter((row) => /^0\d {2}1 byte/.test(row))
        .map((row) => row.slice(0, 2)),
    ).toEqual(["01", "02", "03"]);
  });

  it("a question of a verb is answered there", async () => {
    await shell();
    terminal.type("firmware update\r");
    await terminal.shows("[y/N]");
    terminal.type("n\r");
    await terminal.shows("nothing was done");
    await atPrompt();
    terminal.type("firmware update\r");
    await terminal.until("the second question", () => line().endsWith("[y/N]"));
    terminal.press("ctrl-c");
    await atPrompt();
    terminal.press("up");
    await lineIs("sakura> firmware update");
  });

  it("a port that goes and comes back is told of above the line, also one that has wrapped", async () => {
    await shell({ columns: 40 });
    const typed = "send 1:i=1 2:i=2 3:i=3 4:i=4 5:i=5 6:i=6";
    terminal.type(typed);
    await terminal.shows("6:i=6");
    await module.unplug();
    await terminal.shows(/w\n?a\n?iting/);
    await module.plug();
    await terminal.shows("sakuraio: the port is back");
    const rows = terminal.screen();
    const at = rows.indexOf("sakuraio: the port is back");
    expect(rows.slice(at, at + 3)).toEqual([
      "sakuraio: the port is back",
      "sakura> send 1:i=1 2:i=2 3:i=3 4:i=4 5:i",
      "=5 6:i=6",
    ]);
    expect(rows.join("\n").match(/sakura>/g)).toHaveLength(1);
    terminal.press("enter");
    await terminal.shows("sent 6 values");
  });

  it("a verb while the port is away fails, and says so", async () => {
    await shell({ args: ["--timeout", "1000"] });
    await module.unplug();
    await terminal.shows("waiting for it");
    terminal.type("status\r");
    await terminal.until(
      "the failure",
      () => terminal.screen().filter((row) => row.startsWith("sakuraio:")).length > 1,
    );
    await atPrompt();
    await module.plug();
    await terminal.shows("the port is back");
    terminal.type("status\r");
    await terminal.shows("unique id   16B0100260");
  });

  it("another size of the window, and the line is drawn anew", async () => {
    await shell();
    terminal.type("send 1:i=1 2:i=2 3:i=3 4:i=4 5:i=5 6:i=6 7:i=7");
    await terminal.shows("7:i=7");
    terminal.resize(30, 24);
    terminal.type(" 8:i=8");
    await terminal.shows("8:i=8");
    terminal.press("enter");
    await terminal.shows("sent 8 values");
  });

  it("nothing of the lines before is left: no warning, and one prompt at another size", async () => {
    await shell();
    terminal.type(Array.from({ length: 12 }, (_, i) => `echo ${10 + i}\r`).join(""));
    await terminal.shows("21  1 byte");
    await atPrompt();
    const before = terminal.output.length;
    terminal.resize(60, 24);
    terminal.type("queue\r");
    await terminal.shows("RX queue  0 queued");
    await atPrompt();
    // One for the new size, one that follows the verb.
    expect(terminal.output.slice(before).match(/sakura>/g)?.length).toBeLessThanOrEqual(2);
    expect(terminal.output).not.toContain("Warning");
  });

  it("help is 80 columns wide where the terminal does not know its width", async () => {
    await shell({ tellsSize: false, rows: 60 });
    terminal.type("help\r");
    await terminal.shows("exit or quit leaves.");
    await terminal.shows(/^ {2}send \[options\] .* and wait\n {40}until it is sent$/m);
    expect(terminal.wrapped()).toEqual([]);
  });

  it("without a prompt, where the output is no terminal, says so", async () => {
    terminal = await Terminal.runPiped(["module", "--port", module.uri, "shell"]);
    await terminal.shows("without a prompt");
    terminal.type("echo 01\r");
    await terminal.shows("01  1 byte");
    expect(terminal.output).not.toContain("sakura>");
    terminal.press("ctrl-d");
    expect(await terminal.exited).toBe(0);
  });

  it("SIGTERM leaves with the terminal as it was", async () => {
    await shell();
    terminal.type("receive --follow\r");
    await lineIs("");
    terminal.child.kill("SIGTERM");
    expect(await terminal.exited).toBe(0);
    expect(terminal.settings()).toMatch(/ icanon .* echo /s);
  });

  it("frames are coloured, and not with NO_COLOR; in 80 columns nothing wraps", async () => {
    await shell({ args: ["--trace"] });
    terminal.type("status\r");
    await terminal.shows("firmware    v1.4.4");
    expect(terminal.output).toMatch(SGR);
    terminal.press("ctrl-d");
    await terminal.exited;
    await terminal.close();
    await shell({ args: ["--trace"], env: { NO_COLOR: "1" } });
    terminal.type("status\rhelp\r");
    await terminal.shows("exit or quit leaves.");
    expect(terminal.output).not.toMatch(SGR);
    expect(terminal.wrapped()).toEqual([]);
  });
});
