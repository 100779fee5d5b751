/** Frames over SPI (§5), on a wire to the emulated module that is written down, in virtual time. */
import { beforeEach, describe, expect, it } from "vitest";
import type { SpiOptions } from "../../emulator/bus/spi.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { type ModuleOptions, SakuraModule } from "../../host/module.ts";
import { spiExchange } from "../../host/transport/spi.ts";
import { inTime } from "../support/client.ts";
import { type Desk, desk } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";
import { SpiWire } from "../support/wire.ts";

let at: Desk;
let wire: SpiWire;
let module: SakuraModule;

function open(spi: SpiOptions & { atOnce?: boolean } = {}, options: ModuleOptions & { waitMs?: number } = {}): void {
  const { clock } = at;
  wire = new SpiWire(at.module, spi);
  module = SakuraModule.over(spiExchange(wire, { clock, waitMs: options.waitMs }), { clock, ...options });
}

const done = <T>(work: Promise<T>): Promise<T> => inTime(at.clock, work, 1);

beforeEach(() => {
  at = desk({ uniqueId: "16B0100260" });
  open();
});

describe("a command over SPI", () => {
  it("is one exchange: the request, a wait, and as many bytes as its answer has", async () => {
    expect(await done(module.getUniqueId())).toBe("16B0100260");
    expect(wire.log).toEqual(["X A1 00 A1", "R 13"]);
  });

  it("whose answer may be of any length clocks on when its length is known", async () => {
    await done(module.getFirmwareVersion());
    expect(wire.log).toEqual(["X A2 00 A2", "R 3", "R 21"]);
  });

  it("is read out of the longest answer where the adapter clocks that at once", async () => {
    open({ atOnce: true });
    expect(await done(module.getFirmwareVersion())).toBe("v1.4.4-000000-0000000");
    expect(wire.log).toEqual(["X A2 00 A2", "R 35"]);
  });

  it("carries 255 bytes each way", async () => {
    const bytes = Uint8Array.from({ length: 255 }, (_, i) => i);
    expect(await done(module.echoBack(bytes))).toEqual(bytes);
    expect(wire.log.slice(1)).toEqual(["R 3", "R 255"]);
  });

  it("that is refused fails with the module's status, though more was clocked", async () => {
    const { context } = await failsWith("MODULE_REFUSED", done(module.rxPeek()));
    expect(context).toMatchObject({ command: "RX_PEEK", status: "RUNTIME" });
  });

  it("waits 10 ms before the answer's first byte", async () => {
    open({ readyAfterMs: 10 });
    expect(await done(module.getUniqueId())).toBe("16B0100260");
    // Not one byte came too early.
    expect(wire.log).toEqual(["X A1 00 A1", "R 13"]);
  });
});

describe("a module on SPI that is late", () => {
  it("is clocked on, byte by byte, until its answer begins", async () => {
    open({ readyAfterMs: 25 });
    expect(await done(module.getUniqueId())).toBe("16B0100260");
    expect(wire.log.slice(0, 2)).toEqual(["X A1 00 A1", "R 13"]);
    expect(wire.log.filter((line) => line === "R 1").length).toBeGreaterThan(5);
    expect(wire.log.slice(-2)).toEqual(["R 2", "R 10"]);
  });

  it("is not waited for longer than the timeout", async () => {
    open({ readyAfterMs: 60_000 }, { timeoutMs: 100, retries: 0 });
    const { message, context } = await failsWith("NO_ANSWER", done(module.getUniqueId()));
    expect(message).toContain("only 00 was read: check its power, MISO");
    expect(context).toMatchObject({ port: "the wire", timeoutMs: 100 });
  });

  it("is in doubt where the adapter clocks everything at once and the command must not be repeated", async () => {
    open({ readyAfterMs: 30, atOnce: true });
    await failsWith("OUTCOME_UNKNOWN", done(module.txEnqueue({ channel: 1, type: "i", value: 25 })));
    expect(wire.log.filter((line) => line.startsWith("X 20"))).toHaveLength(1);
  });
});

describe("a line that nobody drives", () => {
  it("reads as FF, which is no answer", async () => {
    wire.target.exchange = () => 0xff;
    const { message } = await failsWith("NO_ANSWER", done(module.getUniqueId()));
    expect(message).toContain("only FF was read: check its power, MISO");
  });
});

describe("a bad line", () => {
  /** A value for an empty queue: what its sender was told, and how often it was queued. */
  async function enqueue(value: number): Promise<{ outcome: string; times: number }> {
    await done(module.txClear());
    const before = at.module.state.enqueued;
    const outcome = await done(module.txEnqueue({ channel: 1, type: "i", value })).then(
      () => "queued",
      ({ code }: { code: string }) => code,
    );
    return { outcome, times: at.module.state.enqueued - before };
  }

  // One bit in 330 bytes: two in one place of two bytes would pass the parity, and can be told by nobody (§1).
  it.each([3, 5, 8])("with flipped bits (seed %i) lets no value through changed, and none twice", async (seed) => {
    at.module.setFaults(parseFaults(`flip=0.003,seed=${seed}`));
    let queued = 0;
    for (let value = 0; value < 100; value++) {
      const { outcome, times } = await enqueue(value);
      if (outcome === "queued") {
        queued++;
        expect(at.module.state.txQueue.map(({ entry }) => entry.value)).toEqual([value]);
      } else expect(outcome).toBe("OUTCOME_UNKNOWN");
      expect(times).toBeLessThanOrEqual(1);
    }
    expect(queued).toBeGreaterThan(80);
  });

  it("that loses bytes too lets no command be carried out twice", async () => {
    at.module.setFaults(parseFaults("flip=0.004,drop=0.004,seed=3"));
    for (let value = 0; value < 100; value++) {
      const { outcome, times } = await enqueue(value);
      expect(["queued", "OUTCOME_UNKNOWN"]).toContain(outcome);
      expect(times).toBeLessThanOrEqual(1);
    }
  });
});

describe("a command over SPI that is given up", () => {
  it("while it waits for its answer ends", async () => {
    open({ readyAfterMs: 1_000_000 });
    const abort = new AbortController();
    const given = module.getUniqueId({ signal: abort.signal });
    await at.clock.advance(15);
    abort.abort();
    await failsWith("ABORTED", done(given));
  });

  it("by close() is rejected", async () => {
    open({ readyAfterMs: 1_000_000 });
    const given = module.getUniqueId();
    await at.clock.advance(15);
    await Promise.all([failsWith("CLOSED", done(given)), module.close()]);
  });
});
