import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority } from "../../emulator/aws-iot/index.ts";
import { explainFailure, type FailureScene, type Phase } from "../../host/bridge/aws-iot-failure.ts";

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
});
