import { describe, expect, it } from "vitest";
import { type LimitSwitches, Limits, limitsRule } from "../../../emulator/aws-iot/limits.ts";

const session = { certificateId: "c", clientId: "a" };

function publish(topic: string, payloadBytes = 0, qos = 0, switches?: LimitSwitches) {
  return limitsRule(new Limits(switches)).publish?.({ topic, qos, retain: false, payloadBytes }, session)?.reason;
}

function subscribe(filters: string[], qos = 0, switches?: LimitSwitches) {
  return limitsRule(new Limits(switches)).subscribe?.({ filters: filters.map((filter) => ({ filter, qos })) }, session)
    ?.reason;
}

function connect(clientId: string, will?: { topic: string; qos: number }, switches?: LimitSwitches) {
  const request = {
    protocolLevel: 4,
    clientId,
    keepAlive: 60,
    will: will && { ...will, retain: false, payloadBytes: 0 },
  };
  return limitsRule(new Limits(switches)).connect?.(request, session)?.reason;
}

describe("limits", () => {
  it("takes payloads of 128 KB", () => {
    expect(publish("a", 131_072)).toBeUndefined();
    expect(publish("a", 131_073)).toBe("payload-too-large");
    expect(publish("a", 131_073, 0, { payload: false })).toBeUndefined();
  });

  it("takes topics of 256 bytes, counted in UTF-8", () => {
    expect(publish("x".repeat(256))).toBeUndefined();
    expect(publish("x".repeat(257))).toBe("topic-too-long");
    expect(publish("あ".repeat(86))).toBe("topic-too-long");
    expect(publish("x".repeat(257), 0, 0, { topicBytes: false })).toBeUndefined();
    expect(subscribe(["a", "x".repeat(257)])).toBe("topic-too-long");
    // Those of Basic Ingest's head not counted.
    expect(publish(`$aws/rules/some_rule/${"x".repeat(256)}`)).toBeUndefined();
    expect(publish(`$aws/rules/some_rule/${"x".repeat(257)}`)).toBe("topic-too-long");
  });

  it("takes 7 slashes, those of Basic Ingest not counted", () => {
    expect(publish("1/2/3/4/5/6/7/8")).toBeUndefined();
    expect(publish("1/2/3/4/5/6/7/8/9")).toBe("topic-too-long");
    expect(publish("1/2/3/4/5/6/7/8/9", 0, 0, { topicSlashes: false })).toBeUndefined();
    expect(publish("$aws/rules/r/1/2/3/4/5/6/7/8")).toBeUndefined();
    expect(publish("$aws/rules/r/1/2/3/4/5/6/7/8/9")).toBe("topic-too-long");
    expect(subscribe(["+/2/3/4/5/6/7/8/#"])).toBe("topic-too-long");
  });

  it("knows no QoS 2", () => {
    expect(publish("a", 0, 1)).toBeUndefined();
    expect(publish("a", 0, 2)).toBe("qos-2");
    expect(publish("a", 0, 2, { qos: false })).toBeUndefined();
    expect(subscribe(["a"], 1)).toBeUndefined();
    expect(subscribe(["a"], 2)).toBe("qos-2");
    expect(connect("a", { topic: "w", qos: 2 })).toBe("qos-2");
  });

  it("holds a will to what a publish is held to", () => {
    expect(connect("a", { topic: "w", qos: 1 })).toBeUndefined();
    expect(connect("a", { topic: "x".repeat(257), qos: 0 })).toBe("topic-too-long");
  });

  it("takes client ids of 128 bytes", () => {
    expect(connect("x".repeat(128))).toBeUndefined();
    expect(connect("x".repeat(129))).toBe("client-id");
    expect(connect("x".repeat(129), undefined, { clientId: false })).toBeUndefined();
  });

  it("takes 8 topics in a SUBSCRIBE", () => {
    expect(subscribe(["1", "2", "3", "4", "5", "6", "7", "8"])).toBeUndefined();
    expect(subscribe(["1", "2", "3", "4", "5", "6", "7", "8", "9"])).toBe("too-many-topics");
    expect(subscribe(["1", "2", "3", "4", "5", "6", "7", "8", "9"], 0, { subscribeTopics: false })).toBeUndefined();
  });
});
