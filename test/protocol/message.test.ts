import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ChannelEntry,
  channelValueFromJson,
  downlinkFromJson,
  encodeDownlink,
  encodeMessage,
  moduleIdSchema,
  nonFiniteValues,
  type PlatformMessage,
  parseDownlink,
  parseJson,
  parsePlatformMessage,
  stamp,
  valueJson,
} from "../../protocol/index.ts";
import { bytes } from "../vectors/bytes.ts";
import { downlinkVectors, uplinkVectors } from "../vectors/messages.ts";
import { anyText, channelValue, downlink, platformMessage } from "./arbitraries.ts";
import { onlyFailsWith, thrown } from "./thrown.ts";

const TIME = "2018-06-21T01:10:57.770020629Z";

/** What a message is when it has been to JSON and back: a float32 rounded, what JSON cannot hold as NaN. */
function published<E extends ChannelEntry>(entry: E): E {
  if (entry.type !== "f" && entry.type !== "d") return entry;
  const value = entry.type === "f" ? Math.fround(entry.value) : entry.value;
  return { ...entry, value: Number.isFinite(value) ? value : Number.NaN };
}

/** The float32 that a decimal stands for. */
function rounded<E extends ChannelEntry>(entry: E): E {
  return entry.type === "f" ? { ...entry, value: Math.fround(entry.value) } : entry;
}

const publishedMessage = (message: PlatformMessage): PlatformMessage =>
  message.type === "channels"
    ? { ...message, payload: { channels: message.payload.channels.map(published) } }
    : message;
const roundedMessage = (message: PlatformMessage): PlatformMessage =>
  message.type === "channels" ? { ...message, payload: { channels: message.payload.channels.map(rounded) } } : message;

describe("messages to the cloud (aws-iot §1)", () => {
  it.each(uplinkVectors)("$source: byte for byte, both ways", ({ message, text }) => {
    expect(encodeMessage(message)).toBe(text);
    expect(parsePlatformMessage(text)).toEqual(message);
    expect(text).not.toContain("\n");
  });

  it("reads the vendor's sample of a location, which has its numbers with a point", () => {
    expect(
      parsePlatformMessage(
        '{"module":"uXXXXXXXXXXX","type":"location","datetime":"2018-06-21T01:10:57.770020629Z","payload":{"coordinate":{"latitude":0.0,"longitude":0.0,"range_m":0}}}',
      ),
    ).toEqual({
      module: "uXXXXXXXXXXX",
      type: "location",
      datetime: TIME,
      payload: { coordinate: { latitude: 0, longitude: 0, range_m: 0 } },
    });
  });

  it("does not care for the order of keys, for white space, or for keys that it does not know", () => {
    expect(
      parsePlatformMessage(
        ` { "payload" : { "is_online" : false , "x" : [] } , "datetime" : "${TIME}" , "new" : 1 , "type" : "connection" , "module" : "u1" } `,
      ),
    ).toEqual({ module: "u1", type: "connection", datetime: TIME, payload: { is_online: false } });
  });

  it("publishes a float32 in its shortest form, rounded first", () => {
    expect(valueJson({ type: "f", value: 0.001 })).toBe("0.001");
    expect(valueJson({ type: "f", value: 0.0010000000474974513 })).toBe("0.001");
    expect(valueJson({ type: "f", value: 16_777_217 })).toBe("16777216");
    expect(valueJson({ type: "f", value: 3.4028234663852886e38 })).toBe("3.4028235e+38");
    expect(valueJson({ type: "d", value: 0.0010000000474974513 })).toBe("0.0010000000474974513");
  });

  it("publishes minus zero as it is, and NaN and the infinities as null, counted", () => {
    expect(valueJson({ type: "f", value: -0 })).toBe("-0");
    expect(valueJson({ type: "d", value: -0 })).toBe("-0");
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const channels = (["f", "d"] as const).flatMap((type) =>
      [...values, 1].map((value) => ({ channel: 0, type, value, datetime: TIME })),
    );
    for (const entry of channels) expect(valueJson(entry)).toBe(entry.value === 1 ? "1" : "null");
    const message = { module: "u1", type: "channels", payload: { channels } } as const;
    expect(nonFiniteValues(message)).toBe(6);
    const text = encodeMessage(stamp(message, TIME));
    expect(text.match(/"value":null,/g)).toHaveLength(6);
    expect(parsePlatformMessage(text)).toEqual(
      stamp({ ...message, payload: { channels: channels.map(published) } }, TIME),
    );
    expect(nonFiniteValues({ module: "u1", type: "connection", payload: { is_online: true } })).toBe(0);
  });

  it("stamps a message with the time of its arrival, and leaves the message as it was", () => {
    const message = { module: "u1", type: "connection", payload: { is_online: true } } as const;
    expect(stamp(message, TIME)).toEqual({ ...message, datetime: TIME });
    expect(message).not.toHaveProperty("datetime");
  });

  it.each([
    ["no object", "[]", ""],
    ["null", "null", ""],
    ["no type", `{"module":"u1","datetime":"${TIME}"}`, "type"],
    ["another type", `{"module":"u1","type":"keepalive","datetime":"${TIME}"}`, "type"],
    ["no module", `{"type":"connection","datetime":"${TIME}","payload":{"is_online":true}}`, "module"],
    ["no datetime", '{"module":"u1","type":"connection","payload":{"is_online":true}}', "datetime"],
    ["no date", '{"module":"u1","type":"connection","datetime":"today","payload":{"is_online":true}}', "datetime"],
    ["no payload", `{"module":"u1","type":"connection","datetime":"${TIME}"}`, "payload"],
    [
      "no boolean",
      `{"module":"u1","type":"connection","datetime":"${TIME}","payload":{"is_online":1}}`,
      "payload.is_online",
    ],
    [
      "null for an integer",
      `{"module":"u1","type":"channels","datetime":"${TIME}","payload":{"channels":[{"channel":0,"type":"i","value":null,"datetime":"${TIME}"}]}}`,
      "payload.channels[0].value",
    ],
    [
      "a channel without a time",
      `{"module":"u1","type":"channels","datetime":"${TIME}","payload":{"channels":[{"channel":0,"type":"i","value":1}]}}`,
      "payload.channels[0].datetime",
    ],
    [
      "a coordinate cut short",
      `{"module":"u1","type":"location","datetime":"${TIME}","payload":{"coordinate":{"latitude":0,"longitude":0}}}`,
      "payload.coordinate.range_m",
    ],
  ])("names the place of what is wrong: %s", (_, text, path) => {
    const error = thrown("INVALID_MESSAGE", () => parsePlatformMessage(text));
    expect(error.context).toEqual({ path });
    if (path) expect(error.message.startsWith(`${path}: `)).toBe(true);
  });
});

const channels = (...list: string[]) => `{"type":"channels","module":"u1","payload":{"channels":[${list.join(",")}]}}`;
const good = '{"channel":0,"type":"i","value":1}';

describe("messages to a module (aws-iot §1)", () => {
  it.each(downlinkVectors)("$source: byte for byte, both ways", ({ message, text }) => {
    expect(encodeDownlink(message)).toBe(text);
    expect(parseDownlink(text)).toEqual(message);
    expect(downlinkFromJson(parseJson(text))).toEqual(message);
  });

  it("ignores times, whatever they are, and leaves them out", () => {
    expect(
      parseDownlink(
        '{"type":"channels","module":"u1","datetime":"yesterday","payload":{"channels":[{"channel":1,"type":"i","value":-5,"datetime":7}]}}',
      ),
    ).toEqual({ type: "channels", module: "u1", payload: { channels: [{ channel: 1, type: "i", value: -5 }] } });
  });

  it("takes 16 channels, 64-bit integers exact, and hex digits in either case", () => {
    const text = channels(
      ...Array.from({ length: 13 }, () => good),
      '{"channel":127,"type":"l","value":-9223372036854775808}',
      '{"channel":127,"type":"L","value":18446744073709551615}',
      '{"channel":127,"type":"b","value":"0F1e2D3c4B5c6B7A"}',
    );
    const entries = parseDownlink(text).payload.channels;
    expect(entries).toHaveLength(16);
    expect(entries.slice(13)).toEqual([
      { channel: 127, type: "l", value: -9_223_372_036_854_775_808n },
      { channel: 127, type: "L", value: 18_446_744_073_709_551_615n },
      { channel: 127, type: "b", value: bytes("0F 1E 2D 3C 4B 5C 6B 7A") },
    ]);
  });

  it("takes an integer that is written with a point or an exponent, where that is exact", () => {
    expect(channelValueFromJson("i", parseJson("1.0"))).toEqual({ type: "i", value: 1 });
    expect(channelValueFromJson("l", parseJson("1e3"))).toEqual({ type: "l", value: 1000n });
    expect(channelValueFromJson("L", parseJson("-0"))).toEqual({ type: "L", value: 0n });
    expect(channelValueFromJson("f", parseJson("18446744073709551615"))).toEqual({ type: "f", value: 2 ** 64 });
  });

  it.each([
    ["i", "2147483648"],
    ["i", "-2147483649"],
    ["i", "0.5"],
    ["i", "18446744073709551615"],
    ["i", '"1"'],
    ["i", "true"],
    ["i", "null"],
    ["i", "[1]"],
    ["i", '{"value":1}'],
    ["I", "4294967296"],
    ["I", "-1"],
    ["l", "9223372036854775808"],
    ["l", "-9223372036854775809"],
    ["l", "123456789012345678901"],
    ["l", "0.5"],
    ["l", "1e19"],
    // In the range, and perhaps rounded on the way: a reader cannot tell.
    ["l", "1e18"],
    ["l", "9007199254740993.0"],
    ["L", "1e19"],
    ["l", "9223372036854775807.0"],
    ["l", '"1"'],
    ["L", "18446744073709551616"],
    ["L", "-1"],
    ["f", "1e39"],
    ["f", "-3.4028236e38"],
    ["f", "1e400"],
    ["f", "-1e400"],
    ["f", "null"],
    ["f", '"1"'],
    ["d", "1e400"],
    ["d", "-1e400"],
    ["d", "null"],
    ["d", '"NaN"'],
    ["b", '"0f1e2d3c4b5c6b7"'],
    ["b", '"0f1e2d3c4b5c6b7a00"'],
    ["b", '"0f1e2d3c4b5c6b7g"'],
    ["b", '"0f 1e 2d 3c 4b 5c"'],
    ["b", '""'],
    ["b", "0"],
  ])("refuses %s %s, and names the place", (type, value) => {
    const text = channels(good, good, `{"channel":0,"type":"${type}","value":${value}}`);
    const error = thrown("INVALID_MESSAGE", () => parseDownlink(text));
    expect(error.context).toEqual({ path: "payload.channels[2].value" });
    expect(error.message).toContain(`type ${type} takes `);
  });

  it.each([
    ["not JSON", "{", ""],
    ["no object", '"channels"', ""],
    ["another type", '{"type":"connection","module":"u1","payload":{"channels":[]}}', "type"],
    ["no module", `{"type":"channels","payload":{"channels":[${good}]}}`, "module"],
    ["an empty module", `{"type":"channels","module":"","payload":{"channels":[${good}]}}`, "module"],
    ["a module with a slash", `{"type":"channels","module":"a/b","payload":{"channels":[${good}]}}`, "module"],
    ["no payload", '{"type":"channels","module":"u1"}', "payload"],
    ["a payload only in a prototype", '{"type":"channels","module":"u1","__proto__":{"payload":{}}}', "payload"],
    ["no channels", '{"type":"channels","module":"u1","payload":{}}', "payload.channels"],
    ["no channel", channels(), "payload.channels"],
    ["17 channels", channels(...Array.from({ length: 17 }, () => good)), "payload.channels"],
    ["a channel of nothing", channels(good, "null"), "payload.channels[1]"],
    ["channel 128", channels('{"channel":128,"type":"i","value":1}'), "payload.channels[0].channel"],
    ["channel -1", channels('{"channel":-1,"type":"i","value":1}'), "payload.channels[0].channel"],
    ["channel 0.5", channels('{"channel":0.5,"type":"i","value":1}'), "payload.channels[0].channel"],
    ["a huge channel", channels('{"channel":9223372036854775807,"type":"i","value":1}'), "payload.channels[0].channel"],
    ["no number for a channel", channels(good, '{"channel":"0","type":"i","value":1}'), "payload.channels[1].channel"],
    ["an unknown type", channels('{"channel":0,"type":"x","value":1}'), "payload.channels[0].type"],
    ["a type of Object's", channels('{"channel":0,"type":"toString","value":1}'), "payload.channels[0].type"],
    ["no type", channels('{"channel":0,"value":1}'), "payload.channels[0].type"],
    ["no value", channels('{"channel":0,"type":"i"}'), "payload.channels[0].value"],
  ])("names the place of what is wrong: %s", (_, text, path) => {
    expect(thrown("INVALID_MESSAGE", () => parseDownlink(text)).context["path"]).toBe(path);
  });

  it("refuses a module id that could not be a part of a topic", () => {
    for (const id of ["uXXXXXXXXXXX", "emulator-001", "\u30e2\u30b8\u30e5\u30fc\u30eb", "a b", "x".repeat(128)])
      expect(moduleIdSchema.safeParse(id).success).toBe(true);
    for (const id of ["", "/", "a/b", "a#", "+", "a\u0000", "x".repeat(129), 5, null])
      expect(moduleIdSchema.safeParse(id).success).toBe(false);
  });
});

/** The value with the thing at one place in it replaced. */
function replaced(value: unknown, place: number, by: unknown): unknown {
  const holder = { root: structuredClone(value) };
  const places: { of: object; key: string }[] = [];
  const visit = (of: object): void => {
    for (const key of Object.keys(of)) {
      places.push({ of, key });
      const inner: unknown = Reflect.get(of, key);
      if (typeof inner === "object" && inner !== null) visit(inner);
    }
  };
  visit(holder);
  const chosen = places[place % places.length];
  if (chosen) Reflect.set(chosen.of, chosen.key, by);
  return holder.root;
}

describe("properties of messages", () => {
  it("reads each message back as it was published", () => {
    fc.assert(
      fc.property(platformMessage, (message) => {
        const text = encodeMessage(message);
        expect(text).not.toMatch(/[\r\n]/);
        expect(roundedMessage(parsePlatformMessage(text))).toEqual(publishedMessage(message));
        // JSON of any other reader too.
        expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it("publishes what it read as the same bytes", () => {
    fc.assert(
      fc.property(platformMessage, (message) => {
        const text = encodeMessage(message);
        expect(encodeMessage(parsePlatformMessage(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("reads each downlink back as it was sent", () => {
    fc.assert(
      fc.property(downlink, (message) => {
        const back = parseDownlink(encodeDownlink(message));
        expect({ ...back, payload: { channels: back.payload.channels.map(rounded) } }).toEqual({
          ...message,
          payload: { channels: message.payload.channels.map(rounded) },
        });
      }),
      { numRuns: 300 },
    );
  });

  it("reads each value back from its JSON", () => {
    fc.assert(
      fc.property(channelValue, (value) => {
        const json = valueJson(value);
        fc.pre(json !== "null");
        const back = channelValueFromJson(value.type, parseJson(json));
        expect(typeof back === "string" ? back : rounded({ channel: 0, ...back })).toEqual(
          rounded({ channel: 0, ...value }),
        );
      }),
      { numRuns: 1000 },
    );
  });

  const samples = fc.constantFrom(
    ...[...uplinkVectors, ...downlinkVectors].map(({ text }): unknown => JSON.parse(text)),
  );

  it("throws nothing but INVALID_MESSAGE for any JSON, and for messages with a part replaced by any", () => {
    const damaged = fc
      .tuple(samples, fc.nat(), fc.jsonValue({ maxDepth: 3 }))
      .map(([sample, place, by]) => replaced(sample, place, by));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), damaged), (value) => {
        const text = JSON.stringify(value) ?? "null";
        onlyFailsWith(["INVALID_MESSAGE"], () => parsePlatformMessage(text));
        onlyFailsWith(["INVALID_MESSAGE"], () => parseDownlink(text));
      }),
      { numRuns: 1000 },
    );
  });

  it("throws nothing but INVALID_MESSAGE for any text", () => {
    const cut = fc
      .tuple(
        fc.constantFrom(...[...uplinkVectors, ...downlinkVectors].map(({ text }) => text)),
        fc.nat(),
        fc.nat(3),
        fc.string(),
      )
      .map(([text, place, length, instead]) => {
        const at = place % text.length;
        return text.slice(0, at) + instead + text.slice(at + length);
      });
    fc.assert(
      fc.property(fc.oneof(anyText, cut), (text) => {
        onlyFailsWith(["INVALID_MESSAGE"], () => parsePlatformMessage(text));
        onlyFailsWith(["INVALID_MESSAGE"], () => parseDownlink(text));
      }),
      { numRuns: 1000 },
    );
  });
});
