/** The examples as users run them: a process each, at emulated modules on pseudo-terminals. (Vitest runs the test among them.) */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { filesInMemory } from "../../emulator/files.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const FILE = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff);

class Bench {
  readonly log = new MessageLog();
  readonly emulated = new EmulatedModule({
    uplink: this.log,
    sendTimeMs: 0,
    fileDelayMs: 0,
    files: filesInMemory({ 1: { data: FILE, timestamp: Date.UTC(2018, 5, 21) } }),
  });
  readonly pty: PtyEndpoint;

  constructor(pty: PtyEndpoint) {
    this.pty = pty;
    attachUart(this.emulated, pty.duplex);
  }

  get port(): string {
    return `uart:${this.pty.path}`;
  }

  deliver(...channels: ChannelEntry[]): void {
    this.emulated.deliver({ type: "channels", module: this.emulated.id, payload: { channels } });
  }
}

let folder: string;
let benches: Bench[];
const running = new Set<ChildProcessWithoutNullStreams>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sakuraio-examples-"));
  benches = [new Bench(await openPty()), new Bench(await openPty())];
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  for (const { pty } of benches) await pty.close();
  rmSync(folder, { recursive: true });
});

function bench(which = 0): Bench {
  const found = benches[which];
  if (!found) throw new Error("there are two benches");
  return found;
}

/** A running example. `shows` resolves once its output has the text, and fails when it ends without. */
function run(name: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [join(EXAMPLES, name), ...args], { cwd: folder });
  running.add(child);
  let out = "";
  const waiting = new Set<() => void>();
  const onText = (text: string): void => {
    out += text;
    for (const look of waiting) look();
  };
  child.stdout.setEncoding("utf8").on("data", onText);
  child.stderr.setEncoding("utf8").on("data", onText);
  const ended = new Promise<{ code: number | null; out: string }>((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, out });
    });
  });
  const shown = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!out.includes(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    ended,
    shows: (text: string): Promise<void> =>
      Promise.race([
        shown(text),
        ended.then(({ code }) => {
          if (!out.includes(text)) throw new Error(`${name} ended with ${code} before "${text}":\n${out}`);
        }),
      ]),
    stop: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
}

describe.skipIf(process.platform === "win32")("the example", () => {
  it("sensor.mjs sends what the sensor says, also after a time without network", async () => {
    const { port, emulated, log } = bench();
    const sensor = join(folder, "temp");
    writeFileSync(sensor, "48500\n");
    const example = run("sensor.mjs", port, sensor, "0.02");
    await example.shows("sent 48.5 °C\n");
    emulated.setOnline(false);
    await example.shows("not sent now: the module could not send");
    writeFileSync(sensor, "49250\n");
    emulated.setOnline(true);
    await example.shows("sent 49.25 °C\n");
    expect(await example.stop()).toMatchObject({ code: 0 });
    expect(log.messages.filter(({ type }) => type === "channels")[0]).toMatchObject({
      payload: { channels: [{ channel: 1, type: "f", value: 48.5 }] },
    });
  });

  it("downlink.mjs switches the lamp and says so", async () => {
    const example = run("downlink.mjs", bench().port);
    await example.shows("waiting for channel 10 on ");
    bench().deliver({ channel: 9, type: "i", value: 1 }, { channel: 10, type: "L", value: 1n });
    await example.shows("lamp on, as asked ");
    expect(await bench().log.next()).toMatchObject({ payload: { channels: [{ channel: 11, type: "i", value: 1 }] } });
    bench().deliver({ channel: 10, type: "i", value: 0 });
    await example.shows("lamp off, as asked ");
    expect(await bench().log.next()).toMatchObject({ payload: { channels: [{ channel: 11, type: "i", value: 0 }] } });
    const { code, out } = await example.stop();
    expect(code).toBe(0);
    expect(out).toContain("ignored: channel 9, type i\n");
  });

  it("download.mjs writes the file, and says when there is none", async () => {
    const example = run("download.mjs", bench().port, "1", "got.bin");
    const { code, out } = await example.ended;
    expect(out).toContain("got.bin: 1000 bytes of 2018-06-21T00:00:00.000Z\n");
    expect(code).toBe(0);
    expect(Uint8Array.from(readFileSync(join(folder, "got.bin")))).toEqual(FILE);
    expect(await run("download.mjs", bench().port, "2").ended).toMatchObject({ code: 1 });
  });

  it("two-modules.mjs hands on what comes down to either", async () => {
    const example = run("two-modules.mjs", bench(0).port, bench(1).port);
    await example.shows("are joined\n");
    bench(0).deliver({ channel: 3, type: "l", value: 9223372036854775807n });
    bench(1).deliver({ channel: 4, type: "f", value: 0.5 });
    expect(await bench(1).log.next()).toMatchObject({
      payload: { channels: [{ channel: 3, type: "l", value: 9223372036854775807n }] },
    });
    expect(await bench(0).log.next()).toMatchObject({ payload: { channels: [{ channel: 4, type: "f", value: 0.5 }] } });
    expect(await example.stop()).toMatchObject({ code: 0 });
  });
});

it.each(["sensor.mjs", "downlink.mjs", "download.mjs", "emulator.test.mjs", "two-modules.mjs"])(
  "%s has under 40 lines",
  (name) => {
    expect(readFileSync(join(EXAMPLES, name), "utf8").trimEnd().split("\n").length).toBeLessThan(40);
  },
);
