import { describe, expect, it } from "vitest";
import { allows, type Policy, parsePolicy } from "../../../emulator/aws-iot/index.ts";
import { isSakuraError } from "../../../protocol/errors.ts";

const ARN = "arn:aws:iot:ap-northeast-1:000000000000:";
const device = { "iot:ClientId": "plant-1" };

const statement = (Effect: string, Action: unknown, Resource: unknown) => ({ Effect, Action, Resource });
const parse = (...Statement: unknown[]): Policy => parsePolicy("test", { Version: "2012-10-17", Statement });

function placeOf(document: unknown): unknown {
  try {
    parsePolicy("test", document);
  } catch (error) {
    if (!isSakuraError(error, "INVALID_ARGUMENT")) throw error;
    const { path } = error.context;
    expect(error.message).toContain(path);
    return path;
  }
  return "accepted";
}

describe("evaluation", () => {
  it("denies what nothing allows", () => {
    expect(allows([], "iot:Connect", `${ARN}client/plant-1`, device)).toBe(false);
    const other = parse(statement("Allow", "iot:Publish", "*"));
    expect(allows([other], "iot:Connect", `${ARN}client/plant-1`, device)).toBe(false);
  });

  it("denies what one statement denies, whatever others allow, in either order and across policies", () => {
    const all = parse(statement("Allow", "iot:*", "*"));
    const but = parse(statement("Deny", "iot:Publish", `${ARN}topic/secret/*`));
    for (const policies of [
      [all, but],
      [but, all],
    ]) {
      expect(allows(policies, "iot:Publish", `${ARN}topic/secret/a`, device)).toBe(false);
      expect(allows(policies, "iot:Publish", `${ARN}topic/open/a`, device)).toBe(true);
      expect(allows(policies, "iot:Receive", `${ARN}topic/secret/a`, device)).toBe(true);
    }
  });

  it.each([
    ["iot:*", true],
    ["*", true],
    ["iot:Conn*", true],
    ["iot:?onnect", true],
    [["iot:Publish", "iot:Connect"], true],
    ["iot:Publish", false],
    [["iot:Publish", "iot:Receive"], false],
  ])("the action %j", (action, expected) => {
    const policy = parse(statement("Allow", action, "*"));
    expect(allows([policy], "iot:Connect", `${ARN}client/plant-1`, device)).toBe(expected);
  });

  it.each([
    ["*", "topic/a", true],
    [`${ARN}topic/a`, "topic/a", true],
    [`${ARN}topic/a`, "topic/a/b", false],
    [`${ARN}topic/a`, "topic/A", false],
    [`${ARN}topic/a`, "client/a", false],
    [`${ARN}topic/a/*`, "topic/a/b/c", true],
    [`${ARN}topic/a/*`, "topic/a", false],
    [`${ARN}topic/a/*/c`, "topic/a/b/c", true],
    [`${ARN}topic/a/*/c`, "topic/a/b/d/c", true],
    [`${ARN}topic/a/*/c`, "topic/a/b/c/d", false],
    [`${ARN}topic/a?c`, "topic/abc", true],
    [`${ARN}topic/a?c`, "topic/ac", false],
    [`${ARN}topic/a?`, "topic/aあ", true],
    [`${ARN}topic/a?`, "topic/a🌸", true],
    [`${ARN}topic/a.c`, "topic/abc", false],
    ["arn:aws:iot:*:*:topic/a", "topic/a", true],
    ["arn:aws:iot:us-east-1:000000000000:topic/a", "topic/a", false],
    ["arn:aws:iot:ap-northeast-1:111111111111:topic/a", "topic/a", false],
    [["arn:aws:iot:*:*:topic/z", `${ARN}topic/a`], "topic/a", true],
    // MQTT's wildcards are ordinary characters in a policy.
    [`${ARN}topicfilter/a/#`, "topicfilter/a/#", true],
    [`${ARN}topicfilter/a/#`, "topicfilter/a/b", false],
    [`${ARN}topicfilter/a/+`, "topicfilter/a/b", false],
    [`${ARN}topicfilter/a/*`, "topicfilter/a/#", true],
  ])("the resource %j and %s", (resource, asked, expected) => {
    const policy = parse(statement("Allow", "iot:Publish", resource));
    expect(allows([policy], "iot:Publish", ARN + asked, device)).toBe(expected);
  });

  it("puts the client id in, as it is", () => {
    const policy = parse(statement("Allow", "iot:Publish", `${ARN}topic/\${iot:ClientId}/up`));
    expect(allows([policy], "iot:Publish", `${ARN}topic/plant-1/up`, device)).toBe(true);
    expect(allows([policy], "iot:Publish", `${ARN}topic/plant-2/up`, device)).toBe(false);
    // A client that calls itself * is one client, not all.
    expect(allows([policy], "iot:Publish", `${ARN}topic/plant-1/up`, { "iot:ClientId": "*" })).toBe(false);
    expect(allows([policy], "iot:Publish", `${ARN}topic/*/up`, { "iot:ClientId": "*" })).toBe(true);
  });

  it("does not take exponential time over many wildcards", () => {
    const policy = parse(statement("Allow", "iot:Publish", `${ARN}topic/${"*a".repeat(40)}`));
    expect(allows([policy], "iot:Publish", `${ARN}topic/${"a".repeat(250)}b`, device)).toBe(false);
  });
});

describe("reading", () => {
  it("takes one statement without a list, and Sid and Id", () => {
    const Statement = { Sid: "one", ...statement("Allow", "iot:Connect", "*") };
    const policy = parsePolicy("test", { Version: "2012-10-17", Id: "x", Statement });
    expect(policy.name).toBe("test");
    expect(allows([policy], "iot:Connect", `${ARN}client/a`, device)).toBe(true);
  });

  const good = statement("Allow", "iot:Connect", "*");
  it.each([
    ["no document", "text", ""],
    ["another version", { Version: "2008-10-17", Statement: [good] }, "Version"],
    ["no statement", { Version: "2012-10-17" }, "Statement"],
    ["no statements", { Version: "2012-10-17", Statement: [] }, "Statement"],
    ["an effect", { Version: "2012-10-17", Statement: [good, statement("allow", "*", "*")] }, "Statement[1].Effect"],
    ["an action", { Version: "2012-10-17", Statement: [statement("Allow", "iot:Conect", "*")] }, "Statement[0].Action"],
    [
      "an action of several",
      { Version: "2012-10-17", Statement: [good, statement("Allow", ["iot:Publish", "s3:GetObject"], "*")] },
      "Statement[1].Action[1]",
    ],
    [
      "an action without a list",
      { Version: "2012-10-17", Statement: statement("Allow", "x", "*") },
      "Statement.Action",
    ],
    [
      "a bare topic",
      { Version: "2012-10-17", Statement: [statement("Allow", "iot:Publish", "a/b")] },
      "Statement[0].Resource",
    ],
    [
      "an unknown variable",
      { Version: "2012-10-17", Statement: [statement("Allow", "*", ["*", `${ARN}topic/\${iot:Thing}`])] },
      "Statement[0].Resource[1]",
    ],
    ["a condition", { Version: "2012-10-17", Statement: [{ ...good, Condition: {} }] }, "Statement[0]"],
  ])("names the place of %s", (_what, document, place) => {
    expect(placeOf(document)).toBe(place);
  });
});
