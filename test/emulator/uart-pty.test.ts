/** An emulated module on real pseudo-terminals, and drivers that know files alone (module-protocol §3). */
import { afterEach, describe, expect, it } from "vitest";
import { openPty } from "../../emulator/bus/pty.ts";
import { attachUart, type UartEvent } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { EmulatedModuleOptions } from "../../emulator/state.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { PlainDriver } from "../support/plain-driver.ts";

const ID_LINE = "*CMD:010A313642303130303236307B\r\n";
const ID_ANSWER = `${ID_LINE}OK\r\n`;
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  // The ports first: that ends a read which still waits.
  for (const close of closing.splice(0)) await close();
});

async function moduleOnPty(options: EmulatedModuleOptions = {}) {
  const log = new MessageLog();
  const module = new EmulatedModule({ sendTimeMs: 0, uplink: log, ...options });
  const requests: string[] = [];
  const events: UartEvent[] = [];
  module.onFrame((frame) => requests.push(Buffer.from(frame).toString("hex")));
  const { path, duplex, close } = await openPty();
  closing.push(close);
  attachUart(module, duplex, (event) => events.push(event));
  return { module, path, log, requests, events };
}

async function driverOf(path: string): Promise<PlainDriver> {
  const driver = await PlainDriver.open(path);
  closing.push(() => driver.close().catch(() => undefined));
  return driver;
}

describe.skipIf(process.platform === "win32")("a driver on a pseudo-terminal", () => {
  it.each([
    ["LF", "AT*CMD=A100A1\n"],
    ["CR LF", "AT*CMD=A100A1\r\n"],
  ])("that opens late and ends its line with %s gets exactly the answer", async (_end, line) => {
    const { path, requests, events } = await moduleOnPty();
    const driver = await driverOf(path);
    await driver.write(line);
    expect(await driver.read(37)).toBe("*CMD:010A313642303130303236307B\r\nOK\r\n");
    // Neither side hears itself: the next bytes are the next answer, and the module saw two requests and nothing else.
    await driver.write(line);
    expect(await driver.read(37)).toBe("*CMD:010A313642303130303236307B\r\nOK\r\n");
    expect(requests).toEqual(["a100a1", "a100a1"]);
    expect(events).toEqual([]);
  });

  it("may close and open again, as often as it likes", async () => {
    const { path, requests, events } = await moduleOnPty();
    for (let round = 0; round < 20; round++) {
      const driver = await driverOf(path);
      await driver.write("AT*CMD=A100A1\r\n");
      expect(await driver.read(37)).toBe(ID_ANSWER);
      await driver.close();
    }
    expect(requests.length).toBe(20);
    expect(events).toEqual([]);
  });

  it("finds the module as it left it", async () => {
    const { path, log } = await moduleOnPty();
    const first = await driverOf(path);
    await first.write("AT*CMD=200A056919000000000000005F\n");
    expect(await first.read(17)).toBe("*CMD:010001\r\nOK\r\n");
    await first.close();
    const second = await driverOf(path);
    await second.write("AT*CMD=220022\n");
    expect(await second.read(21)).toBe("*CMD:01021F011D\r\nOK\r\n");
    await second.write("AT*CMD=240024\n");
    const message = await log.next();
    expect(message).toMatchObject({ payload: { channels: [{ channel: 5, type: "i", value: 25 }] } });
  });

  it("may send the next command before it has read OK", async () => {
    const { path } = await moduleOnPty();
    const driver = await driverOf(path);
    await driver.write("AT*CMD=A100A1\n");
    for (let round = 0; round < 50; round++) {
      expect(await driver.read(ID_LINE.length)).toBe(ID_LINE);
      await driver.write("AT*CMD=A100A1\n");
      expect(await driver.read(4)).toBe("OK\r\n");
    }
    expect(await driver.read(37)).toBe(ID_ANSWER);
  });

  it("may send many commands before it reads anything", async () => {
    const { path } = await moduleOnPty();
    const driver = await driverOf(path);
    await driver.write("AT*CMD=A100A1\n".repeat(200));
    expect(await driver.read(37 * 200)).toBe(ID_ANSWER.repeat(200));
  });

  it("may send every byte value in an echo, and gets every one back", async () => {
    const { path } = await moduleOnPty();
    const driver = await driverOf(path);
    // 0x01 to 0xFF: their XOR is 0, so the parity is that of the head and the length.
    const hex = Array.from({ length: 255 }, (_, i) => (i + 1).toString(16).toUpperCase().padStart(2, "0")).join("");
    await driver.write(`AT*CMD=0FFF${hex}F0\n`);
    expect(await driver.read(5 + 2 * 258 + 6)).toBe(`*CMD:01FF${hex}FE\r\nOK\r\n`);
  });

  it("that sends a byte at a time, with noise before it, is understood", async () => {
    const { path, events } = await moduleOnPty();
    const driver = await driverOf(path);
    for (const character of "\xff\x80AT*CMD=A100A1\r\n") await driver.write(character);
    expect(await driver.read(37)).toBe(ID_ANSWER);
    expect(events.every((event) => event.kind === "noise")).toBe(true);
  });

  it("that sends control characters meets a raw line: no signal, no end, no editing", async () => {
    const { path } = await moduleOnPty();
    const driver = await driverOf(path);
    await driver.write("\x03\x04\x11\x13\x15\x1a\x1c\x7f\nAT\n");
    expect(await driver.read(11)).toBe("ERROR\r\nOK\r\n");
  });

  it("that talks nonsense gets ERROR and can go on", async () => {
    const { path } = await moduleOnPty();
    const driver = await driverOf(path);
    await driver.write(`hello\nAT*CMD=A100\n${"x".repeat(5000)}\nAT*CMD=A100A1\n`);
    expect(await driver.read(21 + 37)).toBe(`ERROR\r\nERROR\r\nERROR\r\n${ID_ANSWER}`);
  });
});

describe.skipIf(process.platform === "win32")("200 modules in one process", () => {
  it("each answer with their own id", { timeout: 60_000 }, async () => {
    const ids = Array.from({ length: 200 }, (_, i) => `17AA${String(i).padStart(6, "0")}`);
    const modules = await Promise.all(ids.map((uniqueId) => moduleOnPty({ uniqueId })));
    expect(new Set(modules.map(({ path }) => path)).size).toBe(200);
    const answers = await Promise.all(
      modules.map(async ({ path }) => {
        const driver = await driverOf(path);
        await driver.write("AT*CMD=A100A1\n");
        const answer = await driver.read(37);
        await driver.close();
        return answer;
      }),
    );
    const idOf = (answer: string) => Buffer.from(answer.slice(9, 29), "hex").toString("latin1");
    expect(answers.map(idOf)).toEqual(ids);
    expect(answers.every((answer) => answer.startsWith("*CMD:010A") && answer.endsWith("\r\nOK\r\n"))).toBe(true);
    expect(modules.every(({ requests, events }) => requests.length === 1 && events.length === 0)).toBe(true);
  });
});
