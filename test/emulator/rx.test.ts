/** The RX queue and what a downlink may do (module-protocol §7). */
import { describe, expect, it } from "vitest";
import type { EmulatedModule } from "../../emulator/module.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";
import type { SakuraError } from "../../protocol/errors.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import type { DownlinkMessage } from "../../protocol/message.ts";
import { desk } from "../support/desk.ts";
import { bytes } from "../vectors/bytes.ts";

const OK = "01 00 01";
const RUNTIME = "05 00 05";
const RX_DEQUEUE = "30 00 30";
const RX_PEEK = "31 00 31";
const RX_LENGTH = "32 00 32";
const RX_CLEAR = "33 00 33";

function down(...channels: ChannelEntry[]): DownlinkMessage {
  return { type: "channels", module: "u0123456789a", payload: { channels } };
}

function ints(count: number, first = 0): ChannelEntry[] {
  return Array.from({ length: count }, (_, i) => ({ channel: 1, type: "i", value: first + i }));
}

function refusalOf(module: EmulatedModule, message: DownlinkMessage): SakuraError {
  try {
    module.deliver(message);
  } catch (error) {
    if (isSakuraError(error, "REFUSED")) return error;
    throw error;
  }
  throw new Error("the downlink was taken");
}

const ID = { id: "u0123456789a" };

describe("RX_DEQUEUE and RX_PEEK", () => {
  it("answer RUNTIME on an empty queue", () => {
    const { ask } = desk(ID);
    expect(ask(RX_PEEK)).toBe(RUNTIME);
    expect(ask(RX_DEQUEUE)).toBe(RUNTIME);
    expect(ask(RX_LENGTH)).toBe("01 02 20 00 23");
  });

  it("give the oldest first; a peek leaves it there", () => {
    const { ask, module } = desk(ID);
    module.deliver(down({ channel: 5, type: "i", value: 25 }, { channel: 6, type: "i", value: -1 }));
    module.deliver(down({ channel: 7, type: "i", value: 3 }));
    expect(ask(RX_LENGTH)).toBe("01 02 1D 03 1D");
    expect(ask(RX_PEEK)).toBe("01 12 05 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 66");
    expect(ask(RX_PEEK)).toBe("01 12 05 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 66");
    expect(ask(RX_DEQUEUE)).toBe("01 12 05 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 66");
    expect(ask(RX_DEQUEUE)).toBe("01 12 06 69 FF FF FF FF 00 00 00 00 00 00 00 00 00 00 00 00 7C");
    expect(ask(RX_LENGTH)).toBe("01 02 1F 01 1D");
    expect(ask(RX_DEQUEUE)).toBe("01 12 07 69 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 7E");
    expect(ask(RX_DEQUEUE)).toBe(RUNTIME);
  });

  const everyType: [ChannelEntry, string][] = [
    [
      { channel: 0, type: "i", value: -2_147_483_648 },
      "01 12 00 69 00 00 00 80 00 00 00 00 00 00 00 00 00 00 00 00 FA",
    ],
    [{ channel: 1, type: "I", value: 4_294_967_295 }, "01 12 01 49 FF FF FF FF 00 00 00 00 00 00 00 00 00 00 00 00 5B"],
    [
      { channel: 2, type: "l", value: 9_223_372_036_854_775_807n },
      "01 12 02 6C FF FF FF FF FF FF FF 7F 00 00 00 00 00 00 00 00 FD",
    ],
    [
      { channel: 3, type: "L", value: 18_446_744_073_709_551_615n },
      "01 12 03 4C FF FF FF FF FF FF FF FF 00 00 00 00 00 00 00 00 5C",
    ],
    [{ channel: 4, type: "f", value: 0.001 }, "01 12 04 66 6F 12 83 3A 00 00 00 00 00 00 00 00 00 00 00 00 B5"],
    [{ channel: 127, type: "d", value: 0.001 }, "01 12 7F 64 FC A9 F1 D2 4D 62 50 3F 00 00 00 00 00 00 00 00 3E"],
    [
      { channel: 6, type: "b", value: bytes("00 FF 0D 0A 01 02 03 04") },
      "01 12 06 62 00 FF 0D 0A 01 02 03 04 00 00 00 00 00 00 00 00 8B",
    ],
  ];
  it.each(everyType)("carry every type: %o", (entry, answer) => {
    const { ask, module } = desk(ID);
    module.deliver(down(entry));
    expect(ask(RX_DEQUEUE)).toBe(answer);
  });

  it("count the offset from when the module received the value, below zero", async () => {
    const { ask, clock, module } = desk(ID);
    module.deliver(down({ channel: 1, type: "i", value: 25 }));
    await clock.advance(1);
    expect(ask(RX_PEEK)).toBe("01 12 01 69 19 00 00 00 00 00 00 00 FF FF FF FF FF FF FF FF 62");
    await clock.advance(4320);
    module.deliver(down({ channel: 2, type: "i", value: 26 }));
    expect(ask(RX_PEEK)).toBe("01 12 01 69 19 00 00 00 00 00 00 00 1F EF FF FF FF FF FF FF 92");
    await clock.advance(86_400_000);
    expect(ask(RX_DEQUEUE)).toBe("01 12 01 69 19 00 00 00 00 00 00 00 1F 93 D9 FA FF FF FF FF CD");
    expect(ask(RX_DEQUEUE)).toBe("01 12 02 69 1A 00 00 00 00 00 00 00 00 A4 D9 FA FF FF FF FF E5");
  });

  it.each([
    ["RX_DEQUEUE", "30 01 00 31"],
    ["RX_PEEK", "31 01 00 30"],
    ["RX_LENGTH", "32 01 00 33"],
    ["RX_CLEAR", "33 01 00 32"],
  ])("%s with a payload is INVALID_SYNTAX and takes nothing", (_name, frame) => {
    const { ask, module } = desk(ID);
    module.deliver(down(...ints(1)));
    expect(ask(frame)).toBe("04 00 04");
    expect(ask(RX_LENGTH)).toBe("01 02 1F 01 1D");
  });
});

describe("RX_CLEAR", () => {
  it("empties the queue, and an empty one too", () => {
    const { ask, module } = desk(ID);
    module.deliver(down(...ints(3)));
    expect(ask(RX_CLEAR)).toBe(OK);
    expect(ask(RX_LENGTH)).toBe("01 02 20 00 23");
    expect(ask(RX_DEQUEUE)).toBe(RUNTIME);
    expect(ask(RX_CLEAR)).toBe(OK);
  });
});

describe("a downlink", () => {
  it("that does not fit is refused as a whole", () => {
    const { ask, module } = desk({ ...ID, rxQueue: 5 });
    module.deliver(down(...ints(3)));
    const error = refusalOf(module, down(...ints(3, 100)));
    expect(error).toMatchObject({ context: { reason: "rx-queue-full" } });
    expect(error.message).toContain("2 of 5");
    expect(ask(RX_LENGTH)).toBe("01 02 02 03 02");
    module.deliver(down(...ints(2, 200)));
    expect(ask(RX_LENGTH)).toBe("01 02 00 05 06");
    expect(refusalOf(module, down(...ints(1)))).toMatchObject({ context: { reason: "rx-queue-full" } });
    ask(RX_DEQUEUE);
    module.deliver(down(...ints(1, 300)));
    expect(module.state.rxQueue.map(({ entry }) => entry.value)).toEqual([1, 2, 200, 201, 300]);
  });

  it.each([
    [1, "01 02 01 00 02", "01 02 00 01 02"],
    [255, "01 02 FF 00 FC", "01 02 00 FF FC"],
    [undefined, "01 02 20 00 23", "01 02 00 20 23"],
  ])("finds a queue of %s places", (rxQueue, empty, full) => {
    const { ask, module } = desk({ ...ID, rxQueue });
    expect(ask(RX_LENGTH)).toBe(empty);
    for (const entry of ints(rxQueue ?? 32)) module.deliver(down(entry));
    expect(ask(RX_LENGTH)).toBe(full);
    expect(refusalOf(module, down(...ints(1)))).toMatchObject({ context: { reason: "rx-queue-full" } });
    // The TX queue has its own depth.
    expect(ask("22 00 22")).toBe("01 02 20 00 23");
  });

  it("is refused while the module is offline, and nothing of it enters", () => {
    const { ask, module } = desk({ ...ID, online: false });
    expect(refusalOf(module, down(...ints(1)))).toMatchObject({ context: { reason: "offline" } });
    expect(ask(RX_LENGTH)).toBe("01 02 20 00 23");
    module.setOnline(true);
    module.deliver(down(...ints(1)));
    expect(ask(RX_LENGTH)).toBe("01 02 1F 01 1D");
  });

  it("for another module is refused, before anything else is looked at", () => {
    const { ask, module } = desk({ ...ID, online: false, rxQueue: 1 });
    const error = refusalOf(module, { ...down(...ints(9)), module: "u0123456789b" });
    expect(error).toMatchObject({ context: { reason: "unknown-module" } });
    expect(error.message).toContain("u0123456789b");
    expect(ask(RX_LENGTH)).toBe("01 02 01 00 02");
  });

  it("stays in the queue while the module is offline", () => {
    const { ask, module } = desk(ID);
    module.deliver(down(...ints(1, 25)));
    module.setOnline(false);
    expect(ask(RX_DEQUEUE)).toBe("01 12 01 69 19 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 62");
  });
});

describe("a downlink with what no channel holds", () => {
  it.each<ChannelEntry>([
    { channel: 128, type: "i", value: 1 },
    { channel: 1.5, type: "i", value: 1 },
    { channel: 3, type: "i", value: 1e12 },
    { channel: 3, type: "L", value: -1n },
  ])("%o is refused at once, and nothing of it enters", (entry) => {
    const { ask, module } = desk(ID);
    const message = down({ channel: 1, type: "i", value: 1 }, entry);
    expect(() => module.deliver(message)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(ask(RX_LENGTH)).toBe("01 02 20 00 23");
  });
});
