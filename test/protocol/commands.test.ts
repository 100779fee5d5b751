import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CommandName,
  commandByCode,
  commandNames,
  commandTable,
  decodeRequest,
  decodeResponse,
  encodeFrame,
  encodeRefusal,
  encodeRequest,
  encodeResponse,
  frameProblem,
  isCommandName,
  PAYLOAD_MAX,
  parityOf,
  type Refusal,
  statuses,
} from "../../protocol/index.ts";
import { bytes } from "../vectors/bytes.ts";
import { channelVectors } from "../vectors/channels.ts";
import { requestVectors, responseVectors } from "../vectors/commands.ts";
import { refusalVectors, refusedRequests } from "../vectors/refusals.ts";
import { code, requests, responses, sealed, u8 } from "./arbitraries.ts";
import { onlyFailsWith, thrown } from "./thrown.ts";

function isRefusal(name: string): name is Refusal {
  return Object.hasOwn(refusalVectors, name);
}
const refusals = Object.keys(refusalVectors).filter(isRefusal);

function checkRequestVectors<N extends CommandName>(name: N): void {
  for (const { value, frame, oneWay } of requestVectors[name]) {
    if (!oneWay) expect(encodeRequest(name, value)).toEqual(bytes(frame));
    expect(decodeRequest(bytes(frame))).toEqual({ ok: true, name, request: value });
  }
}

function checkResponseVectors<N extends CommandName>(name: N): void {
  for (const { value, frame, oneWay } of responseVectors[name]) {
    if (!oneWay) expect(encodeResponse(name, value)).toEqual(bytes(frame));
    expect(decodeResponse(name, bytes(frame))).toEqual(value);
  }
}

describe("the vectors of every command (§2)", () => {
  it("has the codes of the vendor's table, and no other", () => {
    expect(commandNames.map((name) => [commandTable[name].code, name])).toEqual([
      [0x01, "GET_CONNECTION_STATUS"],
      [0x02, "GET_SIGNAL_QUALITY"],
      [0x03, "GET_DATETIME"],
      [0x0f, "ECHO_BACK"],
      [0x10, "READ_ADC"],
      [0x20, "TX_ENQUEUE"],
      [0x21, "TX_SENDIMMED"],
      [0x22, "TX_LENGTH"],
      [0x23, "TX_CLEAR"],
      [0x24, "TX_SEND"],
      [0x25, "TX_STAT"],
      [0x30, "RX_DEQUEUE"],
      [0x31, "RX_PEEK"],
      [0x32, "RX_LENGTH"],
      [0x33, "RX_CLEAR"],
      [0x40, "START_FILE_DOWNLOAD"],
      [0x41, "GET_FILE_METADATA"],
      [0x42, "GET_FILE_DOWNLOAD_STATUS"],
      [0x43, "CANCEL_FILE_DOWNLOAD"],
      [0x44, "GET_FILE_DATA"],
      [0xa0, "GET_PRODUCT_ID"],
      [0xa1, "GET_UNIQUE_ID"],
      [0xa2, "GET_FIRMWARE_VERSION"],
      [0xa8, "UNLOCK"],
      [0xa9, "UPDATE_FIRMWARE"],
      [0xaa, "GET_UPDATE_FIRMWARE_STATUS"],
      [0xaf, "SOFTWARE_RESET"],
      [0xb0, "SET_POWER_SAVE_MODE"],
      [0xb1, "GET_POWER_SAVE_MODE"],
    ]);
    for (const name of commandNames) expect(commandByCode(commandTable[name].code)).toBe(name);
    expect(isCommandName("toString")).toBe(false);
  });

  it.each(commandNames)("%s has a literal request and a literal answer, each with its source", (name) => {
    expect(requestVectors[name].length).toBeGreaterThan(0);
    expect(responseVectors[name].length).toBeGreaterThan(0);
    for (const { source, frame } of [...requestVectors[name], ...responseVectors[name]]) {
      expect(source).toMatch(/^module-protocol §\d/);
      expect(frame).not.toBe("");
    }
  });

  it.each(commandNames)("%s: its request is these bytes, both ways", (name) => checkRequestVectors(name));
  it.each(commandNames)("%s: its answer is these bytes, both ways", (name) => checkResponseVectors(name));

  it("reads GET_DATETIME's milliseconds as the vendor's time", () => {
    const ms = decodeResponse("GET_DATETIME", bytes("01 08 30 4E DA 27 5B 01 00 00 D0"));
    expect(new Date(Number(ms)).toISOString()).toBe("2017-04-01T04:51:10.000Z");
  });

  it.each(channelVectors)("$source: $value.value", ({ value, enqueue, dequeued, oneWay }) => {
    const entry = { channel: 127, ...value };
    const answer = { channel: 0, ...value, offset: -1n };
    expect(decodeRequest(bytes(enqueue))).toEqual({ ok: true, name: "TX_ENQUEUE", request: entry });
    expect(decodeResponse("RX_DEQUEUE", bytes(dequeued))).toEqual(answer);
    expect(decodeResponse("RX_PEEK", bytes(dequeued))).toEqual(answer);
    if (oneWay) return;
    expect(encodeRequest("TX_ENQUEUE", entry)).toEqual(bytes(enqueue));
    expect(encodeResponse("RX_DEQUEUE", answer)).toEqual(bytes(dequeued));
  });

  it("has every channel type among the vectors, at both ends", () => {
    const seen = new Map<string, number>();
    for (const { value } of channelVectors) seen.set(value.type, (seen.get(value.type) ?? 0) + 1);
    expect([...seen.keys()].sort()).toEqual(["I", "L", "b", "d", "f", "i", "l"]);
    for (const count of seen.values()) expect(count).toBeGreaterThan(2);
  });

  it("copies the bytes of an answer out of the frame that they came in", () => {
    const frame = bytes("01 02 AA BB 12");
    const answer = decodeResponse("ECHO_BACK", frame);
    frame.fill(0);
    expect(answer).toEqual(bytes("AA BB"));
  });

  it("describes each payload in words with single spaces", () => {
    for (const name of commandNames) {
      const { request, response, doc } = commandTable[name];
      for (const text of [request.shape, response.shape, doc]) expect(text).not.toMatch(/ {2}|^ | $/);
      expect(doc).not.toBe("");
      expect(request.shape === "").toBe(request.max === 0);
      expect(response.shape === "").toBe(response.max === 0);
    }
  });
});

describe("refusals (§1, §7)", () => {
  it("has bytes for every status but NONE", () => {
    expect(refusals).toEqual(Object.keys(statuses.values).filter((name) => name !== "NONE"));
  });

  it.each(refusals)("%s", (status) => {
    expect(encodeRefusal(status)).toEqual(bytes(refusalVectors[status]));
    for (const name of commandNames)
      expect(thrown("MODULE_REFUSED", () => decodeResponse(name, bytes(refusalVectors[status]))).context).toEqual({
        command: name,
        status,
      });
  });

  it("passes a status that no document names on, by its number", () => {
    expect(thrown("MODULE_REFUSED", () => decodeResponse("TX_SEND", bytes("08 00 08"))).context["status"]).toBe(
      "unknown-8",
    );
    expect(thrown("MODULE_REFUSED", () => decodeResponse("TX_SEND", bytes("00 00 00"))).context["status"]).toBe(
      "unknown-0",
    );
  });

  it("reads a refusal that has a payload as a refusal", () => {
    expect(
      thrown("MODULE_REFUSED", () => decodeResponse("GET_UNIQUE_ID", bytes("07 01 00 06"))).context["status"],
    ).toBe("BUSY");
  });

  it.each(refusedRequests)("$source: $request is $status", ({ request, status }) => {
    expect(decodeRequest(bytes(request))).toEqual({ ok: false, status });
  });
});

describe("an answer that is not one", () => {
  it.each([
    ["nothing", "", "size"],
    ["a status alone", "01", "size"],
    ["cut short", "01 0A 31 36 42 30 31 30 30 32 36 30", "size"],
    ["one byte too many", "01 00 01 00", "size"],
    ["a wrong parity", "01 00 00", "parity"],
    ["a wrong parity of a refusal: damage comes before the status", "05 00 04", "parity"],
  ])("%s is DAMAGED_ANSWER", (_, frame, problem) => {
    expect(thrown("DAMAGED_ANSWER", () => decodeResponse("GET_UNIQUE_ID", bytes(frame))).context).toEqual({
      command: "GET_UNIQUE_ID",
      problem,
    });
    expect(frameProblem(bytes(frame))).toBe(problem);
  });

  it("is INVALID_PAYLOAD when the frame is good and the payload is not the command's", () => {
    expect(thrown("INVALID_PAYLOAD", () => decodeResponse("GET_UNIQUE_ID", bytes("01 00 01"))).context).toEqual({
      command: "GET_UNIQUE_ID",
      size: 0,
    });
    // 10 bytes, the first outside ASCII.
    thrown("INVALID_PAYLOAD", () => decodeResponse("GET_UNIQUE_ID", bytes("01 0A 80 80 80 80 80 80 80 80 80 80 0B")));
    thrown("INVALID_PAYLOAD", () => decodeResponse("TX_SEND", bytes("01 01 00 00")));
    thrown("INVALID_PAYLOAD", () => decodeResponse("GET_FIRMWARE_VERSION", encodeFrame(1, new Uint8Array(33))));
    // Channel 128, and the type "x".
    thrown("INVALID_PAYLOAD", () => decodeResponse("RX_PEEK", encodeFrame(1, new Uint8Array(18).fill(0x80, 0, 1))));
    thrown("INVALID_PAYLOAD", () => decodeResponse("RX_PEEK", encodeFrame(1, new Uint8Array(18).fill(0x78, 1, 2))));
  });
});

describe("what cannot be encoded is INVALID_ARGUMENT", () => {
  it.each([
    ["a channel over 127", { channel: 128, type: "i", value: 0 }],
    ["a channel below 0", { channel: -1, type: "i", value: 0 }],
    ["half a channel", { channel: 0.5, type: "i", value: 0 }],
    ["i one over", { channel: 0, type: "i", value: 2_147_483_648 }],
    ["i one under", { channel: 0, type: "i", value: -2_147_483_649 }],
    ["i with a fraction", { channel: 0, type: "i", value: 0.5 }],
    ["i NaN", { channel: 0, type: "i", value: Number.NaN }],
    ["I one over", { channel: 0, type: "I", value: 4_294_967_296 }],
    ["I below 0", { channel: 0, type: "I", value: -1 }],
    ["l one over", { channel: 0, type: "l", value: 9_223_372_036_854_775_808n }],
    ["l one under", { channel: 0, type: "l", value: -9_223_372_036_854_775_809n }],
    ["L one over", { channel: 0, type: "L", value: 18_446_744_073_709_551_616n }],
    ["L below 0", { channel: 0, type: "L", value: -1n }],
    ["f past a float32", { channel: 0, type: "f", value: 3.4028236e38 }],
    ["b of 7 bytes", { channel: 0, type: "b", value: new Uint8Array(7) }],
    ["b of 9 bytes", { channel: 0, type: "b", value: new Uint8Array(9) }],
    ["an offset over an i64", { channel: 0, type: "i", value: 0, offset: 9_223_372_036_854_775_808n }],
  ] as const)("%s", (_, request) => {
    thrown("INVALID_ARGUMENT", () => encodeRequest("TX_ENQUEUE", request));
  });

  it("takes a number that rounds to the greatest float32", () => {
    expect(encodeRequest("TX_ENQUEUE", { channel: 0, type: "f", value: 3.4028235e38 })).toEqual(
      bytes("20 0A 00 66 FF FF 7F 7F 00 00 00 00 4C"),
    );
  });

  it("says so for the other commands' fields", () => {
    const entry = { channel: 0, type: "i", value: 0 } as const;
    thrown("INVALID_ARGUMENT", () => encodeRequest("TX_SENDIMMED", { channels: [] }));
    thrown("INVALID_ARGUMENT", () =>
      encodeRequest("TX_SENDIMMED", { channels: Array.from({ length: 17 }, () => entry) }),
    );
    thrown("INVALID_ARGUMENT", () => encodeRequest("ECHO_BACK", new Uint8Array(256)));
    thrown("INVALID_ARGUMENT", () => encodeRequest("READ_ADC", 256));
    thrown("INVALID_ARGUMENT", () => encodeRequest("READ_ADC", 1.5));
    thrown("INVALID_ARGUMENT", () => encodeRequest("START_FILE_DOWNLOAD", 0));
    thrown("INVALID_ARGUMENT", () => encodeRequest("START_FILE_DOWNLOAD", 6));
    thrown("INVALID_ARGUMENT", () => encodeRequest("GET_FILE_DATA", 0));
    thrown("INVALID_ARGUMENT", () => encodeRequest("GET_FILE_DATA", 256));
    thrown("INVALID_ARGUMENT", () => encodeRequest("SET_POWER_SAVE_MODE", "unknown-256"));
    thrown("INVALID_ARGUMENT", () => encodeResponse("GET_DATETIME", -1n));
    thrown("INVALID_ARGUMENT", () => encodeResponse("GET_DATETIME", 18_446_744_073_709_551_616n));
    thrown("INVALID_ARGUMENT", () => encodeResponse("READ_ADC", 65_536));
    thrown("INVALID_ARGUMENT", () => encodeResponse("GET_UNIQUE_ID", "16B010026"));
    thrown("INVALID_ARGUMENT", () => encodeResponse("GET_UNIQUE_ID", "16B0100260Z"));
    thrown("INVALID_ARGUMENT", () => encodeResponse("GET_UNIQUE_ID", "16B010026\u00e9"));
    thrown("INVALID_ARGUMENT", () => encodeResponse("GET_FIRMWARE_VERSION", "v".repeat(33)));
    thrown("INVALID_ARGUMENT", () =>
      encodeResponse("GET_CONNECTION_STATUS", { online: true, lastError: "unknown-128" }),
    );
    thrown("INVALID_ARGUMENT", () =>
      encodeResponse("GET_UPDATE_FIRMWARE_STATUS", { inProgress: false, result: "unknown-64" }),
    );
    thrown("INVALID_ARGUMENT", () =>
      encodeResponse("GET_FILE_METADATA", { status: "ok", size: 4_294_967_296, timestamp: 0n, crc32: 0 }),
    );
    thrown("INVALID_ARGUMENT", () => encodeFrame(0x0f, new Uint8Array(PAYLOAD_MAX + 1)));
  });
});

describe("properties of the table", () => {
  function roundTripsRequest<N extends CommandName>(name: N): void {
    fc.assert(
      fc.property(requests[name], (request) => {
        const frame = encodeRequest(name, request);
        expect(parityOf(frame)).toBe(0);
        expect(frame.length).toBe((frame[1] ?? 0) + 3);
        expect(decodeRequest(frame)).toEqual({ ok: true, name, request });
      }),
    );
  }
  function roundTripsResponse<N extends CommandName>(name: N): void {
    fc.assert(
      fc.property(responses[name], (response) => {
        const frame = encodeResponse(name, response);
        expect(frame[0]).toBe(1);
        expect(parityOf(frame)).toBe(0);
        expect(decodeResponse(name, frame)).toEqual(response);
      }),
    );
  }
  it.each(commandNames)("%s: decode(encode(request)) is the request", (name) => roundTripsRequest(name));
  it.each(commandNames)("%s: decode(encode(answer)) is the answer", (name) => roundTripsResponse(name));

  const anyFrame = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    sealed(u8),
    sealed(code),
    sealed(code, fc.uint8Array({ maxLength: 20 })),
  );

  it("decodes any bytes as a request or a refusal, and throws nothing", () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const decoded = decodeRequest(frame);
        if (decoded.ok) expect(isCommandName(decoded.name)).toBe(true);
        else expect(refusals).toContain(decoded.status);
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses a frame with any one bit flipped, as a PARITY or, when the length was hit, as a wrong size", () => {
    fc.assert(
      fc.property(sealed(code), fc.nat(), (frame, where) => {
        const bit = where % (frame.length * 8);
        const damaged = frame.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        const status = bit >> 3 === 1 ? "INVALID_SYNTAX" : "PARITY";
        expect(decodeRequest(damaged)).toEqual({ ok: false, status });
      }),
    );
  });

  it.each(commandNames)("%s: any bytes as its answer throw nothing but its three codes", (name) => {
    const answers = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      sealed(fc.constant(1)),
      sealed(fc.constant(1), fc.uint8Array({ minLength: commandTable[name].response.min, maxLength: 20 })),
      sealed(u8, fc.uint8Array({ maxLength: 2 })),
    );
    fc.assert(
      fc.property(answers, (frame) =>
        onlyFailsWith(["DAMAGED_ANSWER", "MODULE_REFUSED", "INVALID_PAYLOAD"], () => decodeResponse(name, frame)),
      ),
    );
  });
});
