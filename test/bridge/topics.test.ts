import { describe, expect, it } from "vitest";
import {
  connectionClientIds,
  overlapProblem,
  publishPrefixProblem,
  publishTopic,
  resultOverlapProblem,
  resultTopicProblem,
  subscribeTopicProblem,
} from "../../host/bridge/topics.ts";

describe("a publish topic", () => {
  it.each([
    ["sakura/up", "sakura/up/u0123456789a"],
    ["sakura/up/", "sakura/up/u0123456789a"],
    ["sakura/up//", "sakura/up/u0123456789a"],
    ["/", "/u0123456789a"],
    ["/sakura", "/sakura/u0123456789a"],
    ["$aws/rules/to_db", "$aws/rules/to_db/u0123456789a"],
  ])("under %s is %s", (prefix, topic) => {
    expect(publishTopic(prefix, "u0123456789a")).toBe(topic);
  });
});

describe("a publish prefix", () => {
  it.each(["sakura", "sakura/up/", "日本/上", "$aws/rules/to_db", "$aws/rules/to_db/a/b"])("may be %s", (prefix) => {
    expect(publishPrefixProblem(prefix, ["u0123456789a"])).toBeUndefined();
  });

  it.each([
    ["", /empty/],
    ["sakura/#", /# or \+/],
    ["sakura/+/up", /# or \+/],
    ["sakura\u0000", /NUL/],
    ["sakura/\ud800", /half a character/],
    ["$SYS/up", /\$aws\/rules\/RULE/],
    ["$aws/things/x", /\$aws\/rules\/RULE/],
    ["$aws/rules/", /\$aws\/rules\/RULE/],
    ["$aws/rules", /\$aws\/rules\/RULE/],
  ])("may not be %j", (prefix, reason) => {
    expect(publishPrefixProblem(prefix)).toMatch(reason);
  });

  it("is measured with the longest module id, in bytes", () => {
    // 243 + 1 + 12 bytes are 256.
    expect(publishPrefixProblem("x".repeat(243), ["u1", "u0123456789a"])).toBeUndefined();
    expect(publishPrefixProblem("x".repeat(244), ["u1", "u0123456789a"])).toMatch(/257 bytes.*u0123456789a.*256/);
    expect(publishPrefixProblem("x".repeat(244), ["u1"])).toBeUndefined();
    expect(publishPrefixProblem("日".repeat(81), ["u0123456789a"])).toBeUndefined();
    expect(publishPrefixProblem("日".repeat(82), ["u0123456789a"])).toMatch(/259 bytes/);
  });

  it("may have six slashes, the seventh is before the id; those of $aws/rules/RULE/ do not count", () => {
    expect(publishPrefixProblem("a/b/c/d/e/f/g", ["u1"])).toBeUndefined();
    expect(publishPrefixProblem("a/b/c/d/e/f/g/h", ["u1"])).toMatch(/8 slashes.*7/);
    expect(publishPrefixProblem("$aws/rules/to_db/a/b/c/d/e/f/g", ["u1"])).toBeUndefined();
    expect(publishPrefixProblem("$aws/rules/to_db/a/b/c/d/e/f/g/h", ["u1"])).toMatch(/8 slashes/);
    expect(publishPrefixProblem(`$aws/rules/to_db/${"x".repeat(253)}`, ["u1"])).toBeUndefined();
    expect(publishPrefixProblem(`$aws/rules/to_db/${"x".repeat(254)}`, ["u1"])).toMatch(/257 bytes/);
  });
});

describe("a subscribe topic", () => {
  it.each(["sakura/down", "sakura/down/", "a/b/c/d/e/f/g/h", "x".repeat(256)])("may be %s", (topic) => {
    expect(subscribeTopicProblem(topic)).toBeUndefined();
  });

  it.each([
    ["", /empty/],
    ["sakura/hoge/#", /wildcard/],
    ["sakura/+", /wildcard/],
    ["sakura\u0000", /NUL/],
    ["$aws/rules/x/y", /begins with \$/],
    ["$share/g/t", /begins with \$/],
    ["a/b/c/d/e/f/g/h/i", /8 slashes/],
    ["x".repeat(257), /257 bytes/],
  ])("may not be %j", (topic, reason) => {
    expect(subscribeTopicProblem(topic)).toMatch(reason);
  });
});

describe("a prefix and a subscribe topic", () => {
  it.each([
    ["sakura/hoge/", "sakura/hoge/"],
    ["sakura/hoge", "sakura/hoge"],
    ["sakura/hoge", "sakura/hoge/"],
    ["sakura/hoge/", "sakura/hoge"],
    ["sakura/hoge", "sakura/hoge/u0123456789a"],
    ["sakura/hoge/", "sakura/hoge/down"],
    ["sakura", "sakura/down"],
  ])("overlap: %s and %s", (prefix, topic) => {
    expect(overlapProblem(prefix, topic)).toMatch(/overlaps with the publish prefix/);
  });

  it.each([
    ["sakura/up", "sakura/down"],
    ["sakura/up", "sakura/up/u1/down"],
    ["sakura/up", "sakura"],
    ["sakura/up", "sakura/up2"],
    ["sakura/up", "sakura/Up"],
  ])("do not overlap: %s and %s", (prefix, topic) => {
    expect(overlapProblem(prefix, topic)).toBeUndefined();
  });
});

describe("a result topic", () => {
  it.each(["sakura/result", "$aws/rules/results", "$aws/rules/results/a/b/c/d/e/f/g/h", "x".repeat(256)])(
    "may be %s",
    (topic) => {
      expect(resultTopicProblem(topic)).toBeUndefined();
    },
  );

  it.each([
    ["", /empty/],
    ["a/+", /# or \+/],
    ["a\u0000", /NUL/],
    ["$aws/things/x", /\$aws\/rules\/RULE/],
    ["x".repeat(257), /257 bytes/],
    ["a/b/c/d/e/f/g/h/i", /8 slashes/],
  ])("may not be %j", (topic, reason) => {
    expect(resultTopicProblem(topic)).toMatch(reason);
  });

  it("may not be the subscribe topic, nor but for a slash at the end", () => {
    expect(resultOverlapProblem("sakura/down", "sakura/down")).toMatch(
      /overlaps with the subscribe topic sakura\/down/,
    );
    expect(resultOverlapProblem("sakura/down/", "sakura/down")).toMatch(/overlaps/);
    expect(resultOverlapProblem("sakura/down/u1", "sakura/down")).toBeUndefined();
  });
});

describe("the client ids of a service's connections", () => {
  it("are numbered from the second on (aws-iot §5)", () => {
    expect(connectionClientIds("bridge", 1)).toEqual(["bridge"]);
    expect(connectionClientIds("bridge", 3)).toEqual(["bridge", "bridge-2", "bridge-3"]);
  });
});
