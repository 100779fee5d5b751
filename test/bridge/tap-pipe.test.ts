/** The wire through a tap: the same bytes come out, whatever they are, and whatever becomes of who looks at them. */
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPty } from "../../emulator/bus/pty.ts";
import { realClock } from "../../emulator/clock.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";
import { TAP_UNSENT_MAX, TapPipe, type TapSide, type TapWatcher } from "../../host/bridge/links/tap-pipe.ts";
import { TapSession } from "../../host/bridge/links/tap-session.ts";
import type { ByteDuplex, Clock } from "../../protocol/bus.ts";
import { Received, sameBytes } from "../support/duplex.ts";

/** One end of a line that the test holds: what is written to it, and what comes from it. */
class End implements ByteDuplex {
  readonly name = "an end";
  readonly written: Uint8Array[] = [];
  /** What the other side has not read. */
  kept = 0;
  readonly #byteListeners = new Set<(bytes: Uint8Array) => void>();
  readonly #closeListeners = new Set<(reason: undefined) => void>();

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }

  unsent(): number {
    return this.kept;
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#byteListeners.add(listener);
    return () => this.#byteListeners.delete(listener);
  }

  onClose(listener: (reason: undefined) => void): () => void {
    this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  async close(): Promise<void> {
    for (const listener of [...this.#closeListeners]) listener(undefined);
  }

  say(...bytes: number[]): void {
    for (const listener of this.#byteListeners) listener(Uint8Array.from(bytes));
  }

  get all(): number[] {
    return this.written.flatMap((bytes) => [...bytes]);
  }

  get listeners(): number {
    return this.#byteListeners.size + this.#closeListeners.size;
  }
}

class Watcher implements TapWatcher {
  readonly seen: (string | number)[][] = [];
  readonly failures: unknown[] = [];
  /** What looking ends with. */
  failure: Error | undefined;

  passed(from: TapSide, bytes: Uint8Array): void {
    this.seen.push([from, ...bytes]);
    if (this.failure) throw this.failure;
  }

  dropped(from: TapSide, bytes: number): void {
    this.seen.push(["dropped", from, bytes]);
  }

  mcuChanged(): void {
    this.seen.push(["changed"]);
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }
}

function pipe() {
  const module = new End();
  const mcu = new End();
  const watcher = new Watcher();
  const joined = new TapPipe(module, watcher);
  joined.connect(mcu);
  return { module, mcu, watcher, joined };
}

describe("a tap's wire", () => {
  it("has written a chunk on before it is looked at, in the same turn", () => {
    const { module, mcu, watcher } = pipe();
    let before: number[] = [];
    watcher.passed = () => (before = module.all);
    mcu.say(1, 2, 3);
    expect(before).toEqual([1, 2, 3]);
    module.say(4, 5);
    expect(mcu.all).toEqual([4, 5]);
  });

  it("carries on when who looks throws", () => {
    const { module, mcu, watcher } = pipe();
    watcher.failure = new Error("confused");
    mcu.say(1);
    mcu.say(2);
    module.say(3);
    expect(module.all).toEqual([1, 2]);
    expect(mcu.all).toEqual([3]);
    expect(watcher.failures).toEqual([watcher.failure, watcher.failure, watcher.failure]);
  });

  it("drops what a side that does not read would have it keep, and carries the other way all the same", () => {
    const { module, mcu, watcher } = pipe();
    module.kept = TAP_UNSENT_MAX - 1;
    mcu.say(1);
    mcu.say(2, 3);
    module.say(4);
    module.kept = 0;
    mcu.say(5);
    expect(module.all).toEqual([1, 5]);
    expect(mcu.all).toEqual([4]);
    expect(watcher.seen).toContainEqual(["dropped", "mcu", 2]);
  });

  it("goes to the newest MCU alone, and drops a module's bytes when there is none", async () => {
    const { module, mcu, watcher, joined } = pipe();
    const next = new End();
    joined.connect(next);
    mcu.say(1);
    next.say(2);
    module.say(3);
    expect(module.all).toEqual([2]);
    expect(mcu.all).toEqual([]);
    expect(next.all).toEqual([3]);
    await next.close();
    module.say(4);
    expect(next.all).toEqual([3]);
    expect(watcher.seen).toEqual([
      ["changed"],
      ["changed"],
      ["mcu", 2],
      ["module", 3],
      ["dropped", "module", 1],
      ["module", 4],
    ]);
  });

  it("listens to nobody any more once it is closed", () => {
    const { module, mcu, joined } = pipe();
    joined.close();
    mcu.say(1);
    module.say(2);
    expect([module.all, mcu.all]).toEqual([[], []]);
    expect([module.listeners, mcu.listeners]).toEqual([0, 0]);
  });
});

/** A whole line of the grammar, a piece of one, or anything. */
const text = fc.constantFrom(
  "AT*CMD=240024\n",
  "AT*CMD=200A016919000000000000005B\r\n",
  "*CMD:010001\r\nOK\r\n",
  "*CMD:0102002002\r\nOK\r\n",
  "AT*CMD=",
  "*CMD:",
  "OK\r\n",
  "ERROR\r\n",
);
const chunk = fc.oneof(
  text.map((line) => Uint8Array.from(Buffer.from(line))),
  fc.uint8Array({ minLength: 1, maxLength: 600 }),
  text.chain((line) => fc.nat(line.length).map((end) => Uint8Array.from(Buffer.from(line.slice(0, end))))),
);
const talk = fc.array(fc.tuple(fc.constantFrom("mcu" as const, "module" as const), chunk), { maxLength: 60 });

describe.skipIf(process.platform === "win32")("a tap between two pseudo-terminals", () => {
  it("gives each side exactly what the other wrote, lines or noise, split anywhere", async () => {
    const [mcuPty, modulePty] = [await openPty(), await openPty()];
    const mcu = await openSerialPort({ path: mcuPty.path });
    const modulePort = await openSerialPort({ path: modulePty.path });
    const module = modulePty.duplex;
    for (const end of [mcu, modulePort, mcuPty, modulePty]) onTestFinished(() => end.close());
    // A clock that now and then fails is a decoder that now and then throws.
    let turns = 0;
    const clock: Clock = {
      after: realClock.after,
      now() {
        if (++turns % 7 === 0) throw new Error("no time");
        return realClock.now();
      },
    };
    const session = new TapSession({
      module: "u1",
      uplink: { take: async () => undefined },
      clock,
      note: () => undefined,
    });
    const joined = new TapPipe(modulePort, session);
    joined.connect(mcuPty.duplex);
    onTestFinished(() => joined.close());
    const atMcu = new Received(mcu);
    const atModule = new Received(module);
    await fc.assert(
      fc.asyncProperty(talk, async (chunks) => {
        for (const [from, bytes] of chunks) (from === "mcu" ? mcu : module).write(bytes);
        const sent = (side: TapSide) =>
          Buffer.concat(chunks.filter(([from]) => from === side).map(([, bytes]) => bytes));
        expect(sameBytes(await atModule.take(sent("mcu").length), sent("mcu"))).toBe(true);
        expect(sameBytes(await atMcu.take(sent("module").length), sent("module"))).toBe(true);
        expect([atMcu.untaken, atModule.untaken]).toEqual([0, 0]);
      }),
      { numRuns: 60 },
    );
    expect(session.counts()["decoder_failures"]).toBeGreaterThan(0);
  });
});
