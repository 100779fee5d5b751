/** `sakuraio module watch`: in place on a terminal, a line for each change elsewhere. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { refuse } from "../../emulator/behaviour.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { Running } from "../support/command.ts";
import { PluggableModule } from "../support/pluggable-module.ts";
import { Terminal, type TerminalOptions } from "../support/terminal.ts";

// Each wait has its own end; the whole of a test takes long where the machine is busy.
vi.setConfig({ testTimeout: 60_000 });

let module: PluggableModule;
let terminal: Terminal | undefined;
beforeEach(async () => {
  module = await PluggableModule.plugged();
});
afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
  await module.close();
});

const FOOT = "q, Enter or Ctrl+C ends";

async function watch(args: readonly string[] = [], options: TerminalOptions = {}): Promise<Terminal> {
  terminal = await Terminal.run(["module", "--port", module.uri, "watch", "--interval", "20", ...args], options);
  await terminal.shows(FOOT);
  return terminal;
}

/** A row by what it begins with. */
function row(screen: Terminal, name: string): string | undefined {
  return screen.screen().find((text) => text.startsWith(name));
}

describe.skipIf(process.platform !== "linux")("on a terminal", () => {
  it("shows each thing in its row, as it is now", async () => {
    const screen = await watch();
    expect(screen.screen()).toHaveLength(24);
    expect(screen.screen()[0]).toMatch(/^\/tmp\/.*\/port {2}SCM-LTE-01 16B0100260, firmware v1\.4\.4-/);
    expect(screen.screen()[23]).toBe(FOOT);
    expect(row(screen, "connection")).toBe("connection  online");
    module.emulated.setSignal(2);
    await screen.until("the signal", () => row(screen, "signal") === "signal      [##---] 2 of 5");
    module.emulated.setOnline(false, "connection-error");
    await screen.shows("connection  offline, last error: connection-error");
    expect(screen.history()).toHaveLength(24);
  });

  it("shows values as they arrive, taken out of the queue; they stay behind at its end", async () => {
    const screen = await watch();
    module.deliver({ channel: 1, type: "i", value: 25 }, { channel: 2, type: "d", value: -1.5 });
    await screen.shows(
      /^2 values taken out of the RX queue:\n {2}\d\d:\d\d:\d\d {2}ch {3}1 {2}i {2}25 .*\n {2}.* d {2}-1.5 /m,
    );
    expect(module.emulated.state.rxQueue).toHaveLength(0);
    screen.type("q");
    expect(await screen.exited).toBe(0);
    const left = screen.screen().join("\n");
    expect(left).toMatch(/ch {3}1 {2}i {2}25 .*\n.*ch {3}2 {2}d {2}-1\.5 /);
    expect(left).not.toContain(FOOT);
    expect(screen.settings()).toMatch(/ icanon .* echo /s);
    // The cursor is shown again, on the page that was there before.
    expect(screen.output.lastIndexOf("\u001b[?25h")).toBeGreaterThan(screen.output.lastIndexOf("\u001b[?25l"));
    expect(screen.output).toContain("\u001b[?1049l");
  });

  it("with --peek leaves them", async () => {
    const screen = await watch(["--peek"]);
    module.deliver({ channel: 9, type: "i", value: 4 });
    await screen.shows(/left there by --peek:\n {2}ch {3}9 {2}i {2}4 /);
    await screen.shows("RX queue    1 queued, 31 free");
    screen.press("enter");
    expect(await screen.exited).toBe(0);
    expect(module.emulated.state.rxQueue).toHaveLength(1);
  });

  it("fits into the window, also when its size changes", async () => {
    for (let value = 0; value < 30; value++) module.deliver({ channel: 1, type: "i", value });
    // Nothing else has it drawn again meanwhile.
    const screen = await watch(["--interval", "600000"], { columns: 80, rows: 24 });
    await screen.shows("30 values taken");
    expect(screen.screen().filter((text) => text.includes("  ch "))).toHaveLength(12);
    screen.resize(40, 13);
    await screen.until("the small picture", () => screen.screen()[12] === FOOT);
    expect(screen.screen()[11]).toMatch(/ch {3}1 {2}i {2}29 /);
    expect(screen.screen().every((text) => text.length <= 40)).toBe(true);
    expect(screen.wrapped()).toEqual([]);
    screen.resize(80, 24);
    await screen.until("the large picture", () => screen.screen()[23] === FOOT);
    expect(screen.screen()[0]).toContain("firmware");
  });

  it("takes a window whose size nobody knows for 80 by 24", async () => {
    const screen = await watch([], { tellsSize: false });
    module.deliver({ channel: 1, type: "i", value: 25 });
    await screen.shows("ch   1  i  25");
    expect(screen.screen()[23]).toBe(FOOT);
    screen.type("q");
    expect(await screen.exited).toBe(0);
    expect(screen.screen().join("\n")).toContain("ch   1  i  25");
  });

  it("shows a port that is away, and goes on when it is back", async () => {
    const screen = await watch();
    await module.unplug();
    await screen.shows("port        LOST, waiting for it; the rest is as it was.");
    await module.plug();
    await screen.shows(/^port {8}open$/m);
    module.deliver({ channel: 5, type: "i", value: 55 });
    await screen.shows("ch   5  i  55");
    screen.press("ctrl-c");
    expect(await screen.exited).toBe(0);
  });

  it("SIGTERM leaves the terminal as it was", async () => {
    const screen = await watch(["--peek"]);
    screen.child.kill("SIGTERM");
    expect(await screen.exited).toBe(0);
    expect(screen.settings()).toMatch(/ icanon .* echo /s);
    expect(screen.output).toMatch(/\u001b\[\?25h\u001b\[\?1049l/);
  });

  it("is a line for each change where the terminal can place nothing", async () => {
    terminal = await Terminal.run(["module", "--port", module.uri, "watch"], { env: { TERM: "dumb" } });
    await terminal.shows("online, signal 5 of 5;");
    expect(terminal.output).not.toContain("\u001b");
    terminal.press("ctrl-c");
    expect(await terminal.exited).toBe(0);
  });

  it("in the shell gives the prompt back", async () => {
    const env = { XDG_STATE_HOME: module.directory };
    const screen = await Terminal.run(["module", "--port", module.uri, "shell"], { env });
    terminal = screen;
    await screen.shows("sakura>");
    for (const end of ["q", "\u0003", "\r"]) {
      screen.type("watch --interval 20\r");
      await screen.shows(FOOT);
      screen.type(end);
      await screen.until("the prompt", () => screen.screen()[screen.cursor.row] === "sakura>");
    }
    screen.press("ctrl-d");
    expect(await screen.exited).toBe(0);
  });
});

describe.skipIf(process.platform !== "linux")("on a bad line", () => {
  const FAULTS = "flip=0.005,drop=0.002,busy=0.05,seed=3";

  it("shows each value, or says that one may be lost; and survives three pulled cables", async () => {
    const running = new Running([
      ..."module --json --timeout 500 --port".split(" "),
      module.uri,
      "watch",
      "--interval",
      "10",
    ]);
    await running.next("status");
    module.emulated.setFaults(parseFaults(FAULTS));
    for (let round = 0; round < 3; round++) {
      for (let value = 0; value < 10; value++) module.deliver({ channel: 1, type: "i", value: 10 * round + value });
      await running.next("value");
      await module.unplug();
      await running.next("port", ({ state }) => state === "lost");
      await module.plug();
      await running.next("port", ({ state }) => state === "open");
    }
    module.emulated.setFaults(parseFaults(""));
    module.deliver({ channel: 99, type: "i", value: 0 });
    await running.next("value", ({ channel }) => channel === 99);
    const shown = running.lines.filter(({ event, channel }) => event === "value" && channel !== 99).length;
    const unknown = running.lines.filter(({ code }) => code === "OUTCOME_UNKNOWN").length;
    expect(shown).toBeLessThanOrEqual(30);
    expect(shown + unknown).toBeGreaterThanOrEqual(30);
    expect((await running.stop()).code).toBe(0);
  });

  it("on a terminal keeps in sight what may be lost", async () => {
    // Long enough that a busy machine answers in time: the watch may otherwise fail at its start.
    const screen = await watch(["--timeout", "1000"]);
    // The first request for a value is carried out, and nothing is heard of the module from then on.
    const restore = module.emulated.override("RX_DEQUEUE", () => {
      module.emulated.setFaults(parseFaults("drop=1"));
      return refuse("RUNTIME");
    });
    await screen.shows(/^0 values taken .*; [1-9]\d* more may be lost:$/m);
    restore();
    module.emulated.setFaults(parseFaults(""));
    await screen.shows(/^port {8}open$/m);
    await screen.shows(/^0 values taken .*; [1-9]\d* more may be lost:$/m);
    screen.type("q");
    expect(await screen.exited).toBe(0);
  });
});

describe.skipIf(process.platform !== "linux")("piped", () => {
  it("prints a line for each change", async () => {
    const running = new Running(["module", "--port", module.uri, "watch", "--interval", "20"]);
    await running.shows(
      /^online, signal 5 of 5; TX 0 queued, 32 free, last send done, immediate done; RX 0 queued, 32 free\n/,
    );
    module.emulated.setSignal(1);
    await running.shows(/\nonline, signal 1 of 5; /);
    module.deliver({ channel: 3, type: "i", value: 33 });
    await running.shows(/\nch {3}3 {2}i {2}33 {2}/);
    const { code, stdout, stderr } = await running.stop();
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
    expect(stderr).toBe("sakuraio: values that arrive are taken out of the RX queue; --peek leaves them\n");
  });

  it("with --json prints events, of the port too", async () => {
    const running = new Running(["module", "--port", module.uri, "--json", "watch", "--interval", "20", "--peek"]);
    expect(await running.next("status")).toMatchObject({ online: true, signal: 5, rx_queue: { queued: 0 } });
    module.deliver({ channel: 3, type: "i", value: 33 });
    expect(await running.next("oldest")).toMatchObject({ channel: 3, type: "i", value: 33 });
    await module.unplug();
    expect(await running.next("port")).toEqual({ event: "port", state: "lost" });
    await module.plug();
    expect(await running.next("port")).toEqual({ event: "port", state: "open" });
    expect((await running.stop("SIGTERM")).code).toBe(0);
  });
});
