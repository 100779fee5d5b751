/** `sakuraio module shell` with its lines from a pipe: no prompt, in order, up to the first that fails. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Exit, Running } from "../support/command.ts";
import { PluggableModule } from "../support/pluggable-module.ts";

let module: PluggableModule;
beforeEach(async () => {
  module = await PluggableModule.plugged();
});
afterEach(() => module.close());

function start(...args: readonly string[]): Running {
  const env = { ...process.env, XDG_STATE_HOME: module.directory };
  return new Running(["module", "--port", module.uri, "shell", ...args], { env });
}

function script(text: string, ...args: readonly string[]): Promise<Exit> {
  const running = start(...args);
  running.child.stdin.end(text);
  return running.exited;
}

const sent = () =>
  module.log.messages.flatMap((message) =>
    message.type === "channels" ? message.payload.channels.map(({ value }) => value) : [],
  );

describe.skipIf(process.platform !== "linux")("a script", () => {
  it("is carried out line by line, on a port that is opened once, and keeps no history", async () => {
    const text = "echo 01\n\n# a comment\nsend 1:i=25 # another\r\nenqueue '2:i=26'\nflush";
    expect(await script(text)).toEqual({
      code: 0,
      signal: null,
      stdout: expect.stringMatching(
        /^01 {2}1 byte, .*\nsent 1 value\nenqueued 1 value; 1 in the TX queue\nsent 1 value\n$/,
      ),
      stderr: "",
    });
    expect(sent()).toEqual([25, 26]);
    expect(existsSync(join(module.directory, "sakuraio"))).toBe(false);
  });

  it.each([
    ["send 1:i=1\nsend 1:i=x\nsend 1:i=3\n", 2, "send 1:i=x"],
    ["send 1:i=1\nstauts\nsend 1:i=3\n", 2, "stauts"],
    ["send 1:i=1\nraw 00\nsend 1:i=3\n", 1, "raw 00"],
    ["send 1:i=1\nfirmware update\nsend 1:i=3\n", 2, "firmware update"],
    ["send 1:i=1\necho 'x\nsend 1:i=3\n", 2, "echo 'x"],
    ["send 1:i=1\nhelp nope\nsend 1:i=3\n", 2, "help nope"],
  ])("stops at the first line that fails: %j", async (text, code, told) => {
    const exit = await script(text);
    expect(exit).toMatchObject({ code });
    expect(exit.stderr).toMatch(new RegExp(`sakuraio: line 2 failed: ${told}\n$`));
    expect(sent()).toEqual([1]);
  });

  it("with --keep-going does the others, and exits 1", async () => {
    const exit = await script("send 1:i=1\nstauts\nsend 1:i=x\nsend 1:i=4\n", "--keep-going");
    expect(exit.code).toBe(1);
    expect(exit.stderr).toMatch(/line 2 failed: stauts\n.*\n.*line 3 failed: send 1:i=x\nsakuraio: 2 lines failed\n$/);
    expect(sent()).toEqual([1, 4]);
  });

  it("ends at exit", async () => {
    expect(await script("echo 01\nexit\nsend 1:i=1\n")).toMatchObject({ code: 0, stderr: "" });
    expect(sent()).toEqual([]);
  });

  it("has its verbs' JSON", async () => {
    const running = new Running(["module", "--port", module.uri, "--json", "shell"]);
    running.child.stdin.end("queue\nsend 1:i=1\nsend 1:i=x\n");
    expect((await running.exited).code).toBe(2);
    expect(running.lines.map(({ event }) => event)).toEqual(["queue", "sent", "error"]);
  });

  it("tells each failure in JSON, also of what is no verb and of a line's own --json", async () => {
    const running = new Running(["module", "--port", module.uri, "--json", "shell", "--keep-going"]);
    running.child.stdin.end("stauts\nclear ty\nsend\necho 'x\nhelp nope\nfile\nqueue\n");
    expect((await running.exited).code).toBe(1);
    const { lines } = running;
    expect(lines.map(({ event }) => event)).toEqual(["error", "error", "error", "error", "error", "error", "queue"]);
    expect(lines[0]).toEqual({
      event: "error",
      code: "INVALID_ARGUMENT",
      message: "unknown command 'stauts' (Did you mean status?)",
    });
    expect(lines[1]).toMatchObject({ message: expect.stringContaining("value 'ty' is invalid") });
    expect(lines[4]).toMatchObject({ message: "the line names no verb that there is" });
    const plain = await script("send --json 1:i=x\nstauts --json\nsend 1:i=x\n", "--keep-going");
    expect(
      plain.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).event),
    ).toEqual(["error", "error"]);
  });

  it("is stopped by SIGINT, in a verb and between lines, and exits 0", async () => {
    const running = start();
    running.say("receive --follow");
    module.deliver({ channel: 1, type: "i", value: 5 });
    await running.shows(/ch {3}1 {2}i {2}5 /);
    running.say("send 1:i=1");
    expect((await running.stop()).code).toBe(0);
    const idle = start();
    idle.say("echo 01");
    await idle.shows(/^01/);
    expect(await idle.stop("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
    expect(sent()).toEqual([]);
  });

  it("goes on after the port has gone and come back", async () => {
    const running = start("--keep-going", "--timeout", "10000");
    running.say("echo 01");
    await running.shows(/^01/);
    await module.unplug();
    await module.plug();
    // The first may be under way when the loss is noticed, and then fails; any other waits for the port.
    running.say("echo 02\necho 03");
    await running.shows(/\n03/);
    await running.stop();
  });
});
