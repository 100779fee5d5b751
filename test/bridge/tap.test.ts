/** The link `tap`, between real lines: an MCU's program on one, an emulated module at the far end of the other. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { listenTcp } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { realClock } from "../../emulator/clock.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { Bridge, type BridgeEvent, type Link, type LinkNote, MemoryOutbox } from "../../host/bridge/index.ts";
import { tapLinkOf } from "../../host/cli/tap-link.ts";
import { SakuraModule } from "../../host/module.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { valuesOf } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";
import { StateLog } from "../support/link-states.ts";
import { PlainDriver } from "../support/plain-driver.ts";
import { atBus } from "../support/sakuraio-bus.ts";
import { sakuraio } from "../support/sakuraio-package.ts";

const context = { clock: realClock, random: () => 0 };

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-tap-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A module at a place that can be pulled and put in again. */
function pluggable(place: string) {
  /** What the module itself sends. */
  const platform = new MessageLog();
  const module = new EmulatedModule({ id: "u1", uplink: platform, sendTimeMs: 0 });
  const plug = async (): Promise<PtyEndpoint> => {
    const pty = await openPty({ link: place });
    onTestFinished(() => pty.close());
    attachUart(module, pty.duplex);
    return pty;
  };
  return { module, platform, plug };
}

function tap(mcu: string, module: string) {
  const bridge = new MessageLog();
  const notes: LinkNote[] = [];
  const link = tapLinkOf({ id: "u1", link: "tap", mcu, module }, context);
  onTestFinished(() => link.close());
  const states = new StateLog(link);
  link.start(bridge, (note) => notes.push(note));
  return { bridge, notes, link, states };
}

const endpointOf = (link: Link): string => {
  const state = link.state();
  return state.state === "up" ? state.endpoint : state.state;
};

async function driverAt(uri: string): Promise<SakuraModule> {
  const driver = await SakuraModule.open(uri);
  onTestFinished(() => driver.close());
  return driver;
}

describe.skipIf(process.platform === "win32")("the link of a tapped module", () => {
  it("lets a program drive the module, and publishes what it sends", async () => {
    const directory = temporaryDirectory();
    const { module, platform, plug } = pluggable(join(directory, "module"));
    await plug();
    const { bridge, states, link } = tap(`pty:${join(directory, "mcu")}`, `uart:${join(directory, "module")}`);
    await states.next("up");
    expect(endpointOf(link)).toBe(join(directory, "mcu"));
    const mcu = await driverAt(`uart:${join(directory, "mcu")}`);
    expect(await mcu.getUniqueId()).toBe("16B0100260");
    await mcu.txEnqueue({ channel: 1, type: "i", value: 1, offset: -60_000n });
    await mcu.txEnqueue({ channel: 2, type: "L", value: 18446744073709551615n });
    await mcu.flush();
    await mcu.sendImmediately({ channels: [{ channel: 3, type: "f", value: 0.5 }] });
    const [published, sent] = [
      [await bridge.next(), await bridge.next()],
      [await platform.next(), await platform.next()],
    ];
    expect(valuesOf(published)).toEqual([[1, 18446744073709551615n], [0.5]]);
    expect(valuesOf(published)).toEqual(valuesOf(sent));
    // Down is between the platform and the module, and the tap only carries it.
    module.deliver({ type: "channels", module: "u1", payload: { channels: [{ channel: 9, type: "i", value: 7 }] } });
    expect(await mcu.receive()).toMatchObject({ channel: 9, value: 7 });
    expect(link.counts?.()).toMatchObject({ unanswered: 0, stray_answers: 0, published: 2, decoder_failures: 0 });
  });

  it("lets a program that nobody here wrote drive it, too", async () => {
    const directory = temporaryDirectory();
    const { platform, plug } = pluggable(join(directory, "module"));
    await plug();
    const { bridge, states, link } = tap("pty", `uart:${join(directory, "module")}`);
    await states.next("up");
    const driver = await PlainDriver.open(endpointOf(link));
    onTestFinished(() => driver.close());
    const client = sakuraio.use(atBus(driver));
    const call = (method: string, ...parameters: unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        client[method]?.(...parameters, (error: Error | null, value: unknown) =>
          error ? reject(error) : resolve(value),
        );
      });
    await call("enqueueTx", 0, 124.5);
    await expect(call("enqueueTx", 128, 1)).rejects.toThrow(/^Error result: 4 /);
    await call("enqueueTx", 5, Buffer.from([0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0]), { type: 0x69 });
    await call("send");
    const published = valuesOf([await bridge.next()]);
    expect(published).toEqual([[124.5, -2]]);
    expect(published).toEqual(valuesOf([await platform.next()]));
  });

  it("publishes what the module sends, whatever the line does to the bytes", async () => {
    const directory = temporaryDirectory();
    const { module, platform, plug } = pluggable(join(directory, "module"));
    await plug();
    const { bridge, states, notes, link } = tap("pty", `uart:${join(directory, "module")}`);
    await states.next("up");
    const mcu = await SakuraModule.open(`uart:${endpointOf(link)}`, { timeoutMs: 60 });
    onTestFinished(() => mcu.close());
    module.setFaults(parseFaults("drop=0.003,seed=5"));
    for (let value = 0; value < 60; value++) {
      // What may not have been carried out is the firmware's to decide; this one goes on to its next value.
      await mcu.txEnqueue({ channel: 1, type: "i", value }).catch(tolerate);
      await mcu.flush().catch(tolerate);
    }
    module.setFaults();
    await mcu.txEnqueue({ channel: 1, type: "i", value: 60 });
    await mcu.flush();
    const published = new Set<unknown>();
    while (!published.has(60)) for (const value of valuesOf([await bridge.next()]).flat()) published.add(value);
    const sent = valuesOf(platform.messages).flat();
    const { noise_bytes_module: noise = 0, unanswered = 0 } = link.counts?.() ?? {};
    expect(noise).toBeGreaterThan(0);
    expect(unanswered).toBeGreaterThan(0);
    // A value whose only good answer was lost on the line is the one thing that a listener cannot know.
    const missed = sent.filter((value) => !published.has(value));
    expect(missed.length).toBeLessThanOrEqual(unanswered);
    expect([...published].filter((value) => !sent.includes(value))).toEqual([]);
    expect(notes).toEqual([]);
  });

  it("is in error while either side is gone, and up again with what was queued", async () => {
    const directory = temporaryDirectory();
    const { plug } = pluggable(join(directory, "module"));
    const place = join(directory, "mcu");
    const { bridge, states, link } = tap(place, `uart:${join(directory, "module")}`);
    await states.next("error");
    expect(link.state()).toMatchObject({ reason: expect.stringContaining(join(directory, "module")) });
    let port = await plug();
    // The MCU's adapter, seen from its far end: what the tap opens is a serial port.
    let adapter = await openPty({ link: place });
    await states.next("up");
    let mcu = mcuOn(adapter);
    await mcu.does("AT*CMD=200A016919000000000000005B\n");
    await port.close();
    await states.next("error");
    // Both sides were let go: the MCU's is another program's to open.
    port = await plug();
    await states.next("up");
    await adapter.close();
    await states.next("error");
    adapter = await openPty({ link: place });
    onTestFinished(() => adapter.close());
    await states.next("up");
    mcu = mcuOn(adapter);
    await mcu.does("AT*CMD=240024\n");
    expect(valuesOf([await bridge.next()])).toEqual([[25]]);
  });

  it("takes one MCU after the other on a TCP port", async () => {
    const module = new EmulatedModule({ id: "u1", sendTimeMs: 0 });
    const far = await listenTcp({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => far.close());
    far.onConnection((duplex) => void attachUart(module, duplex));
    const { bridge, states, link } = tap("tcp:127.0.0.1:0", far.uri);
    await states.next("up");
    for (const value of [1, 2]) {
      const mcu = await driverAt(endpointOf(link));
      await mcu.sendImmediately({ channels: [{ channel: 1, type: "i", value }] });
      expect(valuesOf([await bridge.next()])).toEqual([[value]]);
      await mcu.close();
    }
    expect(link.state().state).toBe("up");
  });

  it("refuses what comes down, up or not, and says why", async () => {
    const { link } = tap("pty", "uart:/dev/not-there");
    const down = {
      type: "channels",
      module: "u1",
      payload: { channels: [{ channel: 1, type: "i", value: 1 }] },
    } as const;
    const { context: told, message } = await failsWith("REFUSED", link.deliver(down));
    expect(told).toEqual({ reason: "tap" });
    expect(message).toMatch(/only listens/);
  });
});

describe("a bridge with a tap", () => {
  it("tells its listeners what the link notices, and has what it counts in its statistics", async () => {
    const link: Link = {
      module: "u1",
      kind: "tap",
      start: (_uplink, note) => note?.({ note: "waiting", message: "module u1: it waits" }),
      state: () => ({ state: "up", since: 0, endpoint: "here" }),
      onState: () => () => undefined,
      counts: () => ({ requests: 3 }),
      deliver: async () => undefined,
      close: async () => undefined,
    };
    const bridge = new Bridge({ links: [link], services: [], outbox: new MemoryOutbox(65_536), clock: realClock });
    onTestFinished(() => bridge.close());
    const events: BridgeEvent[] = [];
    bridge.onEvent((event) => events.push(event));
    bridge.start();
    expect(events).toContainEqual({
      type: "link-note",
      module: "u1",
      kind: "tap",
      note: "waiting",
      message: "module u1: it waits",
    });
    expect(bridge.stats().links).toMatchObject([{ module: "u1", counts: { requests: 3 } }]);
  });
});

describe("a tap's configuration", () => {
  it.each([
    ["MCU's side", { mcu: "ttyUSB0", module: "uart:/dev/ttyUSB1" }, /an endpoint is .*not "ttyUSB0"/],
    ["module's side", { mcu: "pty", module: "/dev/ttyUSB1" }, /a port is .*did you mean uart:\/dev\/ttyUSB1/],
    ["bus", { mcu: "pty", module: "i2c:/dev/i2c-1" }, /a tap lies on a UART/],
  ])("with a wrong %s starts nothing", (_what, places, words) => {
    expect(() => tapLinkOf({ id: "u1", link: "tap", ...places }, context)).toThrow(words);
  });
});

/** A driver of one line at a time at an adapter's far end. */
function mcuOn({ duplex }: PtyEndpoint) {
  let held = "";
  let wake = (): void => undefined;
  duplex.onBytes((bytes) => {
    held += Buffer.from(bytes).toString("latin1");
    wake();
  });
  return {
    /** Sends the line until the module answers it with 01. */
    async does(line: string): Promise<void> {
      duplex.write(Buffer.from(line));
      while (!held.includes("*CMD:010001\r\nOK\r\n")) await new Promise<void>((resolve) => (wake = resolve));
      held = "";
    },
  };
}

function tolerate(error: unknown): void {
  if (!isSakuraError(error)) throw error;
}
