import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority } from "../../emulator/aws-iot/index.ts";
import { explainFailure, type FailureScene, type Phase } from "../../host/bridge/aws-iot/failure.ts";
import { FailureHistory } from "../../host/bridge/aws-iot/history.ts";

const identity = await (await createAuthority()).issueClient("a test's");
const scene: FailureScene = {
  hostname: "xxxx-ats.iot.ap-northeast-1.amazonaws.com",
  port: 8883,
  clientId: "bridge",
  publishPrefix: "sakura/up/",
  subscribeTopic: "sakura/down",
  certificate: new X509Certificate(identity.certificate),
  now: Date.now(),
};

function errorWith(code: string, message = "as the system says"): Error {
  return Object.assign(new Error(message), { code });
}

const explained = (phase: Phase, code: string, given: Partial<FailureScene> = {}) =>
  explainFailure(phase, { how: "error", error: errorWith(code) }, { ...scene, ...given });

describe("why a connection failed", () => {
  it.each([
    [
      "resolve",
      "ENOTFOUND",
      "name-not-resolved",
      /the name xxxx-ats\.iot\.ap-northeast-1\.amazonaws\.com is not known/,
    ],
    ["resolve", "EAI_AGAIN", "name-not-resolved", /name server/],
    ["connect", "ECONNREFUSED", "connection-refused", /nothing listens on .*:8883/],
    ["connect", "EHOSTUNREACH", "unreachable", /network/],
    ["connect", "ETIMEDOUT", "timed-out", /firewalls/],
    ["handshake", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "server-not-trusted", /Amazon Root CA 1/],
    ["handshake", "SELF_SIGNED_CERT_IN_CHAIN", "server-not-trusted", /Amazon Root CA 1/],
    ["handshake", "ERR_TLS_CERT_ALTNAME_INVALID", "server-name-mismatch", /check hostname/],
    ["handshake", "CERT_HAS_EXPIRED", "server-expired", /clock/],
    ["handshake", "CERT_NOT_YET_VALID", "server-expired", /clock/],
    ["handshake", "ERR_SSL_WRONG_VERSION_NUMBER", "not-tls", /8883 and 443/],
    ["handshake", "ECONNRESET", "tls-failed", /check hostname and port/],
    ["handshake", "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "certificate-refused", /registered and active/],
    ["connack", "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "certificate-refused", /registered and active/],
    ["connack", "ECONNRESET", "no-connack", /iot:Connect on client\/bridge/],
    ["connack", "EPIPE", "no-connack", /policy is attached/],
    ["suback", "ECONNRESET", "subscribe-refused", /iot:Subscribe on topicfilter\/sakura\/down/],
    ["online", "ECONNRESET", "connection-lost", /iot:Publish on topic\/sakura\/up\/\*/],
  ] as const)("at %s, %s is %s", (phase, code, reason, words) => {
    const error = explained(phase, code);
    expect(error.code).toBe("SERVICE_FAILED");
    expect(error.context).toEqual({ reason, host: scene.hostname, port: 8883 });
    expect(error.message).toMatch(words);
  });

  it("is the first address's, for a name that has several", () => {
    const error = new AggregateError([errorWith("ECONNREFUSED"), errorWith("ENETUNREACH")], "");
    expect(explainFailure("connect", { how: "error", error }, scene).context).toMatchObject({
      reason: "connection-refused",
    });
  });

  it("names the old root for an endpoint of the old kind", () => {
    const hostname = "xxxx.iot.ap-northeast-1.amazonaws.com";
    expect(explained("handshake", "SELF_SIGNED_CERT_IN_CHAIN", { hostname }).message).toMatch(/VeriSign Class 3 G5/);
  });

  it("is the service's own certificate once that has expired, however the server puts it", () => {
    const now = Date.parse(scene.certificate.validTo) + 1_000;
    for (const code of ["ECONNRESET", "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED"]) {
      expect(explained("handshake", code, { now }).context).toMatchObject({ reason: "certificate-expired" });
      expect(explained("connack", code, { now }).context).toMatchObject({ reason: "certificate-expired" });
    }
    expect(explained("handshake", "SELF_SIGNED_CERT_IN_CHAIN", { now }).context).toMatchObject({
      reason: "server-not-trusted",
    });
  });

  it.each([
    [2, /client id bridge/],
    [4, /user name/],
    [5, /iot:Connect on client\/bridge/],
    [9, /return code 9/],
  ])("is in the CONNACK: %i", (code, words) => {
    const error = explainFailure("connack", { how: "connack", code }, scene);
    expect(error.context).toMatchObject({ reason: "connect-refused" });
    expect(error.message).toMatch(words);
  });

  it("is what did not come in time", () => {
    const timeout = (phase: Phase) => explainFailure(phase, { how: "timeout", seconds: 45 }, scene);
    expect(timeout("resolve").message).toMatch(/after 45 s: its name was not resolved/);
    expect(timeout("handshake").context).toMatchObject({ reason: "timed-out" });
    expect(timeout("online").context).toMatchObject({ reason: "connection-lost" });
    expect(timeout("online").message).toMatch(/ping/);
  });

  const closed = (phase: Phase, given: Partial<FailureScene>) =>
    explainFailure(phase, { how: "closed" }, { ...scene, ...given });
  const once = { atConnect: 1, afterPublish: 1, soon: 1 };

  it("is surer of a close at the CONNECT after the third in a row", () => {
    expect(closed("connack", { repeats: { ...once, atConnect: 2 } }).message).not.toMatch(/in a row/);
    expect(closed("connack", { repeats: { ...once, atConnect: 3 } }).message).toMatch(
      /3 times in a row: it refuses this client.*iot:Connect on client\/bridge/,
    );
  });

  it("names the topic of what was published just before, and blames the policy when that repeats", () => {
    const lastPublish = { topic: "sakura/up/u1", bytes: 349 };
    const first = closed("online", { repeats: once, lastPublish });
    expect(first.context).toMatchObject({ reason: "connection-lost" });
    expect(first.message).toMatch(
      /right after a publish to sakura\/up\/u1 \(349 bytes\)\. If that repeats: .*topic\/sakura\/up\/u1,/,
    );
    const second = closed("online", { repeats: { ...once, afterPublish: 2 }, lastPublish });
    expect(second.context).toMatchObject({ reason: "publish-refused" });
    expect(second.message).toMatch(/2 times in a row.*iot:Publish on topic\/sakura\/up\/u1.*128 KB/);
  });

  it("is another client with the same id when it was online for a moment, twice, with nothing published", () => {
    expect(closed("online", { repeats: once }).context).toMatchObject({ reason: "connection-lost" });
    const second = closed("online", { repeats: { ...once, soon: 2 } });
    expect(second.context).toMatchObject({ reason: "thrown-out" });
    expect(second.message).toMatch(/another client with the client id bridge.*iot:Receive on topic\/sakura\/down/);
  });

  it.each([
    [
      ["Amazon RSA 2048 M01", "Amazon Root CA 1", "Starfield Services Root Certificate Authority - G2"],
      false,
      /be Amazon Root CA 1,/,
    ],
    [["Amazon ECDSA 256 M01", "Amazon Root CA 3"], true, /be Amazon Root CA 3,/],
    [["Some Intermediate"], true, /its key is ECC, so rootca_cert must be Amazon Root CA 3/],
    [["Some Intermediate"], false, /must be Amazon Root CA 1$/],
    [
      ["Starfield Services Root Certificate Authority - G2"],
      false,
      /Starfield Services Root Certificate Authority - G2$/,
    ],
    [
      ["Symantec Class 3", "VeriSign Class 3 Public Primary Certification Authority - G5"],
      false,
      /VeriSign Class 3 G5/,
    ],
  ])("names the root that signed what the server showed: %j", (issuers, isEcc, words) => {
    const { message } = explained("handshake", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", {
      serverChain: { issuers, isEcc },
    });
    expect(message).toMatch(words);
  });

  it("names whoever signed it, for a server that is not AWS's", () => {
    const given = { hostname: "broker.example", serverChain: { issuers: ["The Example CA"], isEcc: false } };
    expect(explained("handshake", "SELF_SIGNED_CERT_IN_CHAIN", given).message).toMatch(
      /it is signed by The Example CA/,
    );
  });
});

describe("what happened before", () => {
  const end = { phase: "online", silently: true, onlineMs: 1_000, afterPublish: false } as const;

  it("counts the same thing in a row", () => {
    const history = new FailureHistory();
    history.note({ ...end, phase: "connack", onlineMs: 0 });
    expect(history.note({ ...end, phase: "connack", onlineMs: 0 })).toMatchObject({ atConnect: 2 });
    expect(history.note(end)).toEqual({ atConnect: 0, afterPublish: 0, soon: 1 });
    expect(history.note({ ...end, afterPublish: true })).toEqual({ atConnect: 0, afterPublish: 1, soon: 0 });
  });

  it("does not forget it because a try between did not get that far", () => {
    const history = new FailureHistory();
    history.note(end);
    history.note({ ...end, phase: "handshake", silently: false, onlineMs: 0 });
    expect(history.note(end)).toMatchObject({ soon: 2 });
  });

  it("begins anew when the endpoint itself was away: a broker that restarts refuses nobody", () => {
    const history = new FailureHistory();
    history.note({ ...end, afterPublish: true });
    history.note({ ...end, phase: "connect", silently: false, onlineMs: 0 });
    expect(history.note({ ...end, afterPublish: true })).toMatchObject({ afterPublish: 1 });
    expect(history.note({ ...end, afterPublish: true, onlineMs: 60_000 })).toMatchObject({ afterPublish: 1 });
  });

  it("does not count what was online for a minute, nor what the network did", () => {
    const history = new FailureHistory();
    history.note(end);
    expect(history.note({ ...end, onlineMs: 60_000 })).toMatchObject({ soon: 0 });
    history.note(end);
    expect(history.note({ ...end, silently: false })).toMatchObject({ soon: 0 });
  });
});
