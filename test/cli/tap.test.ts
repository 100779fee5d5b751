import { describe, expect, it, onTestFinished } from "vitest";
import { openPty } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";
import { Running, sakuraio } from "../support/command.ts";
import { Received } from "../support/duplex.ts";

/** A module at the far end of a pseudo-terminal, and a tap to it. */
async function tapped(...args: string[]) {
  const far = await openPty();
  onTestFinished(() => far.close());
  const module = new EmulatedModule({ sendTimeMs: 0 });
  attachUart(module, far.duplex);
  const running = new Running(["tap", "--mcu", "pty", "--module", `uart:${far.path}`, ...args]);
  onTestFinished(() => {
    running.child.kill("SIGKILL");
  });
  return { running, module, far };
}

async function mcuAt(path: string) {
  const port = await openSerialPort({ path });
  onTestFinished(() => port.close());
  const received = new Received(port);
  return {
    async says(line: string, answer: string): Promise<void> {
      port.write(Buffer.from(line, "latin1"));
      expect(Buffer.from(await received.take(answer.length)).toString()).toBe(answer);
    },
  };
}

/** Channel 1, float 0.1. */
const ENQUEUE = "200A0166CDCCCC3D00000000BD";

describe.skipIf(process.platform === "win32")("sakuraio tap", () => {
  it("passes everything through, and shows each frame as a line of JSON", async () => {
    const { running } = await tapped("--json");
    const { endpoints } = await running.next("ready");
    const mcu = await mcuAt(String(Object.values(endpoints as object)));
    await mcu.says(`\xff\xffAT*CMD=${ENQUEUE}\n`, "*CMD:010001\r\nOK\r\n");
    await mcu.says("AT*CMD=220022\n", "*CMD:01021F011D\r\nOK\r\n");
    await mcu.says("AT*CMD=300030\n", "*CMD:050005\r\nOK\r\n");
    await running.next("answer", ({ status }) => status === "RUNTIME");
    const { code, stderr } = await running.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const datetime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(running.lines.slice(1)).toEqual([
      { event: "noise", from: "mcu", bytes: 2 },
      {
        event: "request",
        datetime,
        command: "TX_ENQUEUE",
        frame: ENQUEUE,
        request: { channel: 1, type: "f", value: 0.1 },
      },
      { event: "answer", datetime, command: "TX_ENQUEUE", status: "OK", frame: "010001" },
      { event: "request", datetime, command: "TX_LENGTH", frame: "220022" },
      {
        event: "answer",
        datetime,
        command: "TX_LENGTH",
        status: "OK",
        frame: "01021F011D",
        answer: { available: 31, queued: 1 },
      },
      { event: "request", datetime, command: "RX_DEQUEUE", frame: "300030" },
      { event: "answer", datetime, command: "RX_DEQUEUE", status: "RUNTIME", frame: "050005" },
    ]);
  });

  it("shows them to people, as the emulated module's trace does", async () => {
    const { running } = await tapped();
    const [, place = ""] = await running.shows(/^the MCU's side is (\S+); Ctrl\+C stops it$/m);
    const mcu = await mcuAt(place);
    await mcu.says("AT*CMD=220022\n", "*CMD:0102200023\r\nOK\r\n");
    await running.shows(/^\d\d:\d\d:\d\d\.\d{3} → TX_LENGTH {19}22 00 22$/m);
    await running.shows(/^\S+ ← OK(?: {2}\d+\.\d ms)? +01 02 20 00 23 {26}tx 0 queued, 32 free$/m);
    expect((await running.stop("SIGTERM")).code).toBe(0);
  });

  it("ends with 1 when a side is gone, and with 2 for places that are none", async () => {
    const { running, far } = await tapped();
    await running.shows(/^the MCU's side is/m);
    await far.close();
    const { code, stderr } = await running.exited;
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^sakuraio: ${far.path} went away`));
    expect(await sakuraio("tap", "--mcu", "pty", "--module", "i2c:/dev/i2c-1")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("a tap lies on a UART"),
    });
    expect(await sakuraio("tap", "--mcu", "pty")).toMatchObject({ code: 2 });
    expect((await sakuraio("tap", "--help")).stdout).toMatch(/sakuraio tap --mcu \/dev\/ttyUSB0/);
  });
});
