/** Frames over I2C (§4), on a wire to the emulated module that is written down, in virtual time. */
import { beforeEach, describe, expect, it } from "vitest";
import type { I2cOptions } from "../../emulator/bus/i2c.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { type ModuleOptions, SakuraModule } from "../../host/module.ts";
import type { FrameEvent } from "../../host/transport/exchange.ts";
import { i2cExchange } from "../../host/transport/i2c.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { inTime } from "../support/client.ts";
import { type Desk, desk, hex } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";
import { I2cWire } from "../support/wire.ts";

let at: Desk;
let wire: I2cWire;
let module: SakuraModule;

function open(i2c: I2cOptions = {}, options: ModuleOptions & { waitMs?: number } = {}): void {
  const { clock } = at;
  wire = new I2cWire(at.module, i2c);
  module = SakuraModule.over(i2cExchange(wire, { clock, waitMs: options.waitMs }), { clock, ...options });
}

/** Lets virtual time pass until it has ended. */
const done = <T>(work: Promise<T>): Promise<T> => inTime(at.clock, work, 1);

beforeEach(() => {
  at = desk({ uniqueId: "16B0100260" });
  open();
});

describe("a command over I2C", () => {
  it("is one write, 10 ms, and one read as long as its answer", async () => {
    expect(await done(module.getUniqueId())).toBe("16B0100260");
    expect(wire.log).toEqual(["W A1 00 A1", "R 13"]);
    expect(wire.times[1]).toBeGreaterThanOrEqual(10);
    expect(wire.times[1]).toBeLessThan(11);
  });

  it("waits as long as it is told", async () => {
    open({}, { waitMs: 35 });
    await done(module.getSignalQuality());
    expect(wire.times[1]).toBeGreaterThanOrEqual(35);
  });

  it("waits not at all where it is told so", async () => {
    open({}, { waitMs: 0 });
    expect(await done(module.getSignalQuality())).toBe(5);
    expect(wire.times).toEqual([0, 0]);
  });

  it("whose answer may be of any length asks for its length first", async () => {
    await done(module.getFirmwareVersion());
    expect(wire.log).toEqual(["W A2 00 A2", "R 3", "R 24"]);
  });

  it("carries 255 bytes each way", async () => {
    const bytes = Uint8Array.from({ length: 255 }, (_, i) => i);
    expect(await done(module.echoBack(bytes))).toEqual(bytes);
    expect(wire.log.slice(1)).toEqual(["R 3", "R 258"]);
  });

  it("that is refused fails with the module's status, though more was read", async () => {
    const { context } = await failsWith("MODULE_REFUSED", done(module.rxPeek()));
    expect(context).toMatchObject({ command: "RX_PEEK", status: "RUNTIME" });
    expect(wire.log).toEqual(["W 31 00 31", "R 21"]);
  });

  it("is reported as it went over the wire, without what was read behind the answer", async () => {
    const frames: FrameEvent[] = [];
    module.onFrame((frame) => frames.push(frame));
    await failsWith("MODULE_REFUSED", done(module.rxPeek()));
    expect(frames.map(({ direction, bytes }) => `${direction} ${hex(bytes)}`)).toEqual([
      "request 31 00 31",
      "answer 05 00 05",
    ]);
  });
});

describe("a module that is late", () => {
  it("is looked at again until its answer is there", async () => {
    open({ readyAfterMs: 42 });
    expect(await done(module.getUniqueId())).toBe("16B0100260");
    expect(wire.log[0]).toBe("W A1 00 A1");
    expect(new Set(wire.log.slice(1))).toEqual(new Set(["R 13"]));
  });

  it("is not waited for longer than the timeout, and the command that must not be repeated is in doubt", async () => {
    open({ readyAfterMs: 60_000 }, { timeoutMs: 200, retries: 1 });
    const { cause } = await failsWith("OUTCOME_UNKNOWN", done(module.txSend()));
    await failsWith("NO_ANSWER", Promise.reject(cause));
    expect(wire.log.filter((line) => line === "W 24 00 24")).toHaveLength(1);
  });

  it("and answers between two tries has answered", async () => {
    open({ readyAfterMs: 230 }, { timeoutMs: 200 });
    await done(module.txEnqueue({ channel: 1, type: "i", value: 25 }));
    expect(at.module.state.txQueue).toHaveLength(1);
    expect(wire.log.filter((line) => line.startsWith("W 20"))).toHaveLength(1);
  });

  it("for any time is never taken to have answered by its answer to an echo of ours", async () => {
    for (let busyMs = 0; busyMs <= 3000; busyMs += 25) {
      open({}, { timeoutMs: 200 });
      const ready = at.clock.now() + busyMs;
      const start = wire.target.start.bind(wire.target);
      wire.target.start = (direction) => (direction === "write" || at.clock.now() >= ready) && start(direction);
      const answer = await done(module.raw(0xa1)).catch(({ code }: { code: string }) => code);
      if (typeof answer === "string") expect(answer).toBe("NO_ANSWER");
      else expect(hex(answer.payload), `after ${busyMs} ms`).toBe("31 36 42 30 31 30 30 32 36 30");
    }
  });

  it("or does not acknowledge while it is busy is waited for too", async () => {
    let busy = 3;
    wire.before = (transaction) => {
      if (transaction.startsWith("R") && busy-- > 0)
        throw new SakuraError("NO_ANSWER", "not acknowledged", { context: { reached: false } });
    };
    expect(await done(module.getSignalQuality())).toBe(5);
    expect(wire.log).toEqual(["W 02 00 02", "R 4", "R 4", "R 4", "R 4"]);
  });
});

describe("a request that is not acknowledged", () => {
  it("did not reach the module: one that must not be repeated is tried again", async () => {
    let missing = 2;
    wire.before = (transaction) => {
      if (transaction.startsWith("W") && missing-- > 0)
        throw new SakuraError("NO_ANSWER", "not acknowledged", { context: { reached: false } });
    };
    await done(module.txEnqueue({ channel: 1, type: "i", value: 25 }));
    expect(at.module.state.txQueue).toHaveLength(1);
  });

  it("on every try fails as what it is, and not as in doubt", async () => {
    wire.before = () => {
      throw new SakuraError("NO_ANSWER", "not acknowledged", { context: { reached: false } });
    };
    await failsWith("NO_ANSWER", done(module.txSend()));
    expect(wire.log).toEqual(Array(5).fill("W 24 00 24"));
    // Each wait is twice the one before.
    expect(wire.times.map(Math.round)).toEqual([0, 5, 15, 35, 75]);
  });
});

describe("an adapter that fails", () => {
  it("before anything was sent leaves nothing open, also where a command must not be repeated", async () => {
    wire.before = () => {
      throw new SakuraError("PORT_FAILED", "not ready", { context: { reached: false } });
    };
    await failsWith("PORT_FAILED", done(module.txSend()));
    expect(wire.log).toEqual(["W 24 00 24"]);
  });

  it("before it read the answer leaves it open", async () => {
    wire.before = (transaction) => {
      if (transaction.startsWith("R"))
        throw new SakuraError("PORT_FAILED", "lost step", { context: { reached: false } });
    };
    await failsWith("OUTCOME_UNKNOWN", done(module.txSend()));
    expect(wire.log.filter((line) => line === "W 24 00 24")).toHaveLength(1);
  });

  it("once is asked again where that is harmless", async () => {
    let glitches = 1;
    wire.before = () => {
      if (glitches-- > 0) throw new SakuraError("PORT_FAILED", "answered 03");
    };
    expect(await done(module.getSignalQuality())).toBe(5);
  });
});

describe("an answer that was damaged on its way", () => {
  it("is read again, and the command is not carried out twice", async () => {
    let reads = 0;
    wire.before = (transaction) => {
      if (!transaction.startsWith("R")) return;
      reads++;
      at.module.setFaults(reads === 1 ? parseFaults("flip=1,seed=4") : undefined);
    };
    await done(module.txEnqueue({ channel: 1, type: "i", value: 25 }));
    expect(at.module.state.txQueue).toHaveLength(1);
    expect(wire.log.filter((line) => line.startsWith("W 20"))).toHaveLength(1);
    // What proves that the line is in step again.
    expect(wire.log.some((line) => line.startsWith("W 0F 0A"))).toBe(true);
  });

  it("and a hundred commands on a bad line come out right, or say that nobody knows", async () => {
    at.module.setFaults(parseFaults("flip=0.005,seed=11"));
    let certain = 0;
    let unknown = 0;
    for (let value = 0; value < 100; value++) {
      await done(module.txClear());
      const before = at.module.state.enqueued;
      const outcome = await done(module.txEnqueue({ channel: 1, type: "i", value })).then(
        () => "queued",
        (error: SakuraError) => error.code,
      );
      const times = at.module.state.enqueued - before;
      if (outcome === "queued") expect(times).toBe(1);
      else expect(outcome).toBe("OUTCOME_UNKNOWN");
      expect(times).toBeLessThanOrEqual(1);
      if (outcome === "queued") certain++;
      else unknown++;
    }
    expect(certain).toBeGreaterThan(90);
    expect(certain + unknown).toBe(100);
  });
});

describe("a command over I2C that is given up", () => {
  it("while it waits for its answer ends at once", async () => {
    const abort = new AbortController();
    const given = module.getUniqueId({ signal: abort.signal });
    await at.clock.advance(5);
    abort.abort();
    await failsWith("ABORTED", given);
    expect(wire.log).toEqual(["W A1 00 A1"]);
    expect(await done(module.getSignalQuality())).toBe(5);
  });

  it("by close() is rejected", async () => {
    const given = module.getUniqueId();
    const waiting = module.getSignalQuality();
    await at.clock.advance(5);
    await Promise.all([failsWith("CLOSED", given), failsWith("CLOSED", waiting), module.close()]);
    await failsWith("CLOSED", module.getUniqueId());
  });
});
