/** What is refused, in which order, and that a refusal changes nothing (module-protocol §7). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filesInMemory } from "../../emulator/files.ts";
import type { EmulatedModule } from "../../emulator/module.ts";
import { type Desk, desk, enqueueInts, hex, int32 } from "../support/desk.ts";
import { bytes } from "../vectors/bytes.ts";

const OK = "01 00 01";
const PARITY = "02 00 02";
const MISSING = "03 00 03";
const INVALID_SYNTAX = "04 00 04";
const RUNTIME = "05 00 05";
const LOCKED = "06 00 06";
const BUSY = "07 00 07";

describe("a refused request", () => {
  it.each([
    ["nothing at all", "", INVALID_SYNTAX],
    ["one byte", "A1", INVALID_SYNTAX],
    ["two bytes", "A1 00", INVALID_SYNTAX],
    ["a byte too many", "A1 00 A1 00", INVALID_SYNTAX],
    ["a byte too few", "0F 04 DE AD BE 22", INVALID_SYNTAX],
    ["a wrong parity", "A1 00 A0", PARITY],
    ["a wrong parity over a payload", "0F 04 DE AD BE EF 28", PARITY],
    ["a code that there is not", "00 00 00", MISSING],
    ["a code that there is not, with a payload", "FF 02 01 02 FE", MISSING],
    ["a payload where there is none", "A1 01 00 A0", INVALID_SYNTAX],
    ["no payload where there is one", "10 00 10", INVALID_SYNTAX],
    ["a field out of range", "40 02 06 00 44", INVALID_SYNTAX],
    ["what needs UNLOCK", "AF 00 AF", LOCKED],
    ["what cannot be done now", "30 00 30", RUNTIME],
  ])("answers its status, no payload and the parity: %s", (_what, frame, answer) => {
    expect(desk().ask(frame)).toBe(answer);
  });

  it("is every code that is not in the table, and no other", () => {
    const { ask } = desk();
    const known: string[] = [];
    for (let code = 0; code <= 255; code++) {
      const answer = ask(hex(Uint8Array.of(code, 0, code)));
      if (answer !== MISSING) known.push(code.toString(16).toUpperCase().padStart(2, "0"));
    }
    expect(known.join(" ")).toBe(
      "01 02 03 0F 10 20 21 22 23 24 25 30 31 32 33 40 41 42 43 44 A0 A1 A2 A8 A9 AA AF B0 B1",
    );
  });
});

describe("the order of the checks", () => {
  it.each([
    ["size before parity", "A1 00 A1 01", INVALID_SYNTAX],
    ["size before code", "FF 01 00", INVALID_SYNTAX],
    ["parity before code", "FF 00 00", PARITY],
    ["parity before length", "A1 01 00 00", PARITY],
    ["parity before fields", "20 0A 80 78 00 00 00 00 00 00 00 00 00", PARITY],
    ["parity before lock", "AF 00 00", PARITY],
    ["code before length", "A3 05 01 02 03 04 05 A7", MISSING],
    ["length before lock", "A9 01 00 A8", INVALID_SYNTAX],
    ["length before state", "30 01 00 31", INVALID_SYNTAX],
    ["fields before state", "44 01 00 45", INVALID_SYNTAX],
  ])("%s", (_what, frame, answer) => {
    expect(desk().ask(frame)).toBe(answer);
  });

  it("fields before state: a bad field on a full queue is INVALID_SYNTAX, a good one RUNTIME", () => {
    const at = desk({ txQueue: 1 });
    enqueueInts(at, 1);
    expect(at.ask("20 0A 05 69 19 00 00 00 00 00 00 00 5F")).toBe(RUNTIME);
    expect(at.ask("20 0A 80 69 19 00 00 00 00 00 00 00 DA")).toBe(INVALID_SYNTAX);
    expect(at.ask("20 0A 05 78 19 00 00 00 00 00 00 00 4E")).toBe(INVALID_SYNTAX);
    expect(at.ask("20 09 05 69 19 00 00 00 00 00 00 5C")).toBe(INVALID_SYNTAX);
  });

  it("fields before state: a bad field while a send or a download is under way", () => {
    const at = desk();
    enqueueInts(at, 1);
    at.ask("24 00 24");
    expect(at.ask("24 00 24")).toBe(BUSY);
    expect(at.ask("24 01 00 25")).toBe(INVALID_SYNTAX);
    at.ask("21 0A 05 69 19 00 00 00 00 00 00 00 5E");
    expect(at.ask("21 0A 05 69 19 00 00 00 00 00 00 00 5E")).toBe(BUSY);
    expect(at.ask("21 0A 80 69 19 00 00 00 00 00 00 00 DB")).toBe(INVALID_SYNTAX);
    at.ask("40 02 01 00 43");
    expect(at.ask("40 02 01 00 43")).toBe(RUNTIME);
    expect(at.ask("40 02 00 00 42")).toBe(INVALID_SYNTAX);
  });

  it("lock before state: an update during an update", () => {
    const { ask } = desk();
    ask("A8 04 53 6B 72 61 87");
    ask("A9 00 A9");
    expect(ask("A9 00 A9")).toBe(LOCKED);
    ask("A8 04 53 6B 72 61 87");
    expect(ask("A9 00 A9")).toBe(BUSY);
  });

  it("a busy spell comes after size, parity, code and fields", () => {
    const { ask, module } = desk();
    module.setFaults({ flip: 0, drop: 0, busy: 1, delay: 0, seed: 1 });
    expect(ask("A1 00 A1")).toBe(BUSY);
    expect(ask("A1 00 A0")).toBe(PARITY);
    expect(ask("FF 00 FF")).toBe(MISSING);
    expect(ask("A1 01 00 A0")).toBe(INVALID_SYNTAX);
    expect(ask("20 0A 05 69 19 00 00 00 00 00 00 00 5F")).toBe(BUSY);
    module.setFaults();
    expect(ask("22 00 22")).toBe("01 02 20 00 23");
    expect(ask("A1 00 A1")).toBe("01 0A 31 36 42 30 31 30 30 32 36 30 7B");
  });
});

/** Everything that a request could change. */
function snapshot({ module, clock, log }: Desk) {
  const { files: _source, ...state } = module.state;
  return structuredClone({ state, waits: clock.pending, sent: log.messages.length, online: module.online });
}

/** A module with something in every corner: full queues, a send, a download and an update under way. */
async function busyModule(): Promise<Desk> {
  const at = desk({ txQueue: 2, rxQueue: 2, files: filesInMemory({ 1: { data: bytes("01 02 03"), timestamp: 5 } }) });
  enqueueInts(at, 2);
  at.module.deliver({
    type: "channels",
    module: at.module.id,
    payload: {
      channels: [
        { channel: 1, type: "l", value: -1n },
        { channel: 2, type: "b", value: bytes("01 02 03 04 05 06 07 08") },
      ],
    },
  });
  at.ask("40 02 01 00 43");
  await at.clock.advance(200);
  at.ask("24 00 24");
  at.ask("21 0A 05 69 19 00 00 00 00 00 00 00 5E");
  at.ask("A8 04 53 6B 72 61 87");
  at.ask("A9 00 A9");
  return at;
}

async function oldLockedModule(): Promise<Desk> {
  const at = desk({ firmware: "v1.1.2", online: false });
  at.module.setFaults({ flip: 0, drop: 0, busy: 0.5, delay: 0, seed: 3 });
  return at;
}

const codes = bytes("01 02 03 0F 10 20 21 22 23 24 25 30 31 32 33 40 41 42 43 44 A0 A1 A2 A8 A9 AA AF B0 B1 B2 00 FF");
const code = fc.oneof({ arbitrary: fc.constantFrom(...codes), weight: 8 }, { arbitrary: fc.nat(255), weight: 1 });
const payload = fc.oneof(
  fc.constant([]),
  fc.array(fc.nat(255), { maxLength: 20 }),
  fc.array(fc.nat(7), { minLength: 1, maxLength: 2 }),
  fc.constantFrom([0x53, 0x6b, 0x72, 0x61], int32(1, 2), int32(128, 2), [...int32(1, 2), 0, 0, 0, 0, 0, 0, 0, 0]),
);
const wholeFrame = fc.tuple(code, payload).map(([head, body]) => {
  const frame = [head, body.length, ...body];
  return Uint8Array.of(
    ...frame,
    frame.reduce((parity, byte) => parity ^ byte, 0),
  );
});
const damagedFrame = fc
  .tuple(wholeFrame, fc.nat(), fc.integer({ min: 1, max: 255 }))
  .map(([frame, at, mask]) => frame.map((byte, i) => (i === at % frame.length ? byte ^ mask : byte)));
const cutFrame = fc.tuple(wholeFrame, fc.nat()).map(([frame, at]) => frame.slice(0, at % frame.length));
const anyFrame = fc.oneof(
  { arbitrary: wholeFrame, weight: 5 },
  { arbitrary: damagedFrame, weight: 2 },
  { arbitrary: cutFrame, weight: 1 },
  { arbitrary: fc.uint8Array({ maxLength: 40 }), weight: 1 },
);

describe.each([
  ["a fresh one", async () => desk()],
  ["one that is busy with everything", busyModule],
  ["an old, locked one that is offline and has busy spells", oldLockedModule],
])("a refused request changes nothing in %s", (_what, make) => {
  it("whatever the request is", async () => {
    const at = await make();
    const refusals = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(anyFrame, async (frame) => {
        const before = snapshot(at);
        const answer = at.module.handle(frame.slice());
        expect(answer).toBeDefined();
        const [status = -1, length = -1] = answer ?? [];
        expect(answer?.length).toBe(length + 3);
        expect(answer?.reduce((parity, byte) => parity ^ byte, 0)).toBe(0);
        if (status === 1) return;
        expect(answer).toEqual(Uint8Array.of(status, 0, status));
        expect(status).toBeGreaterThanOrEqual(2);
        expect(status).toBeLessThanOrEqual(7);
        refusals.set(status, (refusals.get(status) ?? 0) + 1);
        // What a refusal may have set going shows once promises have run.
        await Promise.resolve();
        expect(snapshot(at)).toEqual(before);
      }),
      { seed: 20170401, numRuns: 3000 },
    );
    // Otherwise the property has looked at nothing.
    for (const status of [2, 3, 4, 5]) expect(refusals.get(status), `status ${status}`).toBeGreaterThan(20);
  });
});

describe("a request that succeeds", () => {
  it.each(["01 00 01", "02 00 02", "03 00 03", "22 00 22", "25 00 25", "31 00 31", "32 00 32", "41 00 41", "42 00 42"])(
    "and only reads changes nothing either: %s",
    async (frame) => {
      const at = await busyModule();
      const before = snapshot(at);
      expect(statusOf(at.module, frame)).toBe(1);
      expect(snapshot(at)).toEqual(before);
    },
  );

  it("keeps nothing of the frame it came in: the caller may use its bytes again", async () => {
    const at = desk();
    const frame = bytes("20 0A 05 62 01 02 03 04 05 06 07 08 45");
    expect(hex(at.module.handle(frame) ?? new Uint8Array(0))).toBe(OK);
    frame.fill(0xee);
    const echo = bytes("0F 02 01 02 0E");
    const answer = at.module.handle(echo);
    echo.fill(0xee);
    expect(hex(answer ?? new Uint8Array(0))).toBe("01 02 01 02 00");
    expect(at.module.state.txQueue[0]?.entry.value).toEqual(bytes("01 02 03 04 05 06 07 08"));
  });
});

function statusOf(module: EmulatedModule, frame: string): number | undefined {
  return module.handle(bytes(frame))?.[0];
}
