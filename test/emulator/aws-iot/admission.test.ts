import { describe, expect, it } from "vitest";
import { type AwsIotEndpoint, createAuthority, type EndReason } from "../../../emulator/aws-iot/index.ts";
import { VirtualClock } from "../../../emulator/clock.ts";
import { isSakuraError } from "../../../protocol/errors.ts";
import {
  allow,
  CONNACK,
  CONNECT_A,
  connectClient,
  everything,
  hex,
  openClient,
  openRaw,
  policy,
  recordEvents,
  registered,
  startEndpoint,
} from "./support.ts";

const DAY_MS = 24 * 3600 * 1000;

/** Sends the bytes over a certificate's connection; what came back until its end, and the reason that was told. */
async function refusal(endpoint: AwsIotEndpoint, identity: object, bytes: Buffer) {
  const log = recordEvents(endpoint);
  const raw = openRaw(endpoint, identity);
  raw.socket.write(bytes);
  const received = await raw.ended;
  const { reason } = await log.first("refused");
  expect(log.all.map(({ type }) => type)).toEqual(["refused"]);
  return { received, reason };
}

const silent = (reason: EndReason) => ({ received: "", reason });

describe("a certificate with a policy", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)("is taken over %s", async (maxVersion) => {
    const endpoint = await startEndpoint();
    const { certificateId, ...identity } = await registered(endpoint, policy("p", allow("iot:Connect", "client/a")));
    const log = recordEvents(endpoint);
    const raw = openRaw(endpoint, identity, { maxVersion });
    raw.socket.write(CONNECT_A);
    expect(await raw.received(4)).toBe(CONNACK);
    expect(raw.socket.getProtocol()).toBe(maxVersion);
    expect(log.all).toEqual([{ type: "connected", clientId: "a", certificateId }]);
  });

  it("is taken with the ALPN name of port 443", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, everything);
    const client = await connectClient(endpoint, identity, { ALPNProtocols: ["x-amzn-mqtt-ca"] });
    expect(client.connected).toBe(true);
  });

  it("gets the endpoint's own policies when it is registered without any", async () => {
    const endpoint = await startEndpoint({ policies: [everything] });
    const identity = await endpoint.authority.issueClient("a");
    expect(endpoint.registerCertificate({ certificatePem: identity.certificate })).toBe(identity.certificateId);
    await connectClient(endpoint, identity);
  });
});

describe("a refusal is silent: the connection ends without a byte", () => {
  it("when the certificate is not registered", async () => {
    const endpoint = await startEndpoint();
    const identity = await endpoint.authority.issueClient("a");
    expect(await refusal(endpoint, identity, CONNECT_A)).toEqual(silent("unknown-certificate"));
  });

  it("when no policy is attached", async () => {
    const endpoint = await startEndpoint();
    expect(await refusal(endpoint, await registered(endpoint), CONNECT_A)).toEqual(silent("no-policy"));
  });

  it("when the certificate is inactive", async () => {
    const endpoint = await startEndpoint();
    const identity = await endpoint.authority.issueClient("a");
    endpoint.registerCertificate({ certificatePem: identity.certificate, policies: [everything], active: false });
    expect(await refusal(endpoint, identity, CONNECT_A)).toEqual(silent("inactive-certificate"));
  });

  it("when the policy does not allow the client id", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, policy("p", allow("iot:Connect", "client/b")));
    expect(await refusal(endpoint, identity, CONNECT_A)).toEqual(silent("connect-denied"));
  });

  it.each<[string, string, EndReason]>([
    ["a client id of 129 bytes", `108d010004 4d515454 04 02 003c 0081 ${"61".repeat(129)}`, "client-id"],
    ["no client id", "10 0c 0004 4d515454 04 02 003c 0000", "client-id"],
    ["a will at QoS 2", "10 13 0004 4d515454 04 16 003c 0001 61 0001 77 0001 78", "qos-2"],
    ["MQTT 3.1", "10 0f 0006 4d5149736470 03 02 003c 0001 61", "unsupported-protocol"],
    ["MQTT 5", "10 0e 0004 4d515454 05 02 003c 00 0001 61", "unsupported-protocol"],
    ["something else than a CONNECT first", "c0 00", "protocol"],
    ["half a CONNECT in a whole packet", "10 08 0004 4d515454 04 02", "protocol"],
    ["no MQTT at all", "ff ff ff ff ff ff", "protocol"],
  ])("to %s", async (_what, bytes, reason) => {
    const endpoint = await startEndpoint();
    expect(await refusal(endpoint, await registered(endpoint, everything), hex(bytes))).toEqual(silent(reason));
  });

  it("when no CONNECT comes", async () => {
    const clock = new VirtualClock();
    const endpoint = await startEndpoint({ clock });
    const log = recordEvents(endpoint);
    const raw = openRaw(endpoint, await registered(endpoint, everything));
    raw.socket.write(CONNECT_A.subarray(0, 10));
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(29_999);
    expect(log.all).toEqual([]);
    await clock.advance(1);
    expect(await raw.ended).toBe("");
    expect((await log.first("refused")).reason).toBe("no-connect");
  });

  it("is a mere close to a client", async () => {
    const endpoint = await startEndpoint();
    const client = openClient(endpoint, await registered(endpoint));
    const seen: string[] = [];
    client.on("connect", () => seen.push("connect"));
    client.on("error", ({ message }) => seen.push(message));
    await new Promise<void>((resolve) => client.once("close", () => resolve()));
    expect(seen).toEqual([]);
  });
});

describe("the handshake", () => {
  async function expectNoHandshake(endpoint: AwsIotEndpoint, identity: object): Promise<string> {
    const log = recordEvents(endpoint);
    const raw = openRaw(endpoint, identity);
    raw.socket.write(CONNECT_A);
    expect(await raw.ended).toBe("");
    const { reason, message } = await log.first("refused");
    expect(reason).toBe("tls");
    return message;
  }

  it("fails for a certificate of another authority", async () => {
    const endpoint = await startEndpoint();
    const stranger = await (await createAuthority()).issueClient("a");
    expect(await expectNoHandshake(endpoint, stranger)).toMatch(/certificate.*SIGNATURE|certificate.*ISSUER/);
  });

  it("fails for an expired certificate", async () => {
    const endpoint = await startEndpoint();
    const expired = await endpoint.authority.issueClient("a", { notAfter: new Date(Date.now() - DAY_MS) });
    endpoint.registerCertificate({ certificatePem: expired.certificate, policies: [everything] });
    expect(await expectNoHandshake(endpoint, expired)).toContain("CERT_HAS_EXPIRED");
  });

  it("fails for a certificate that is not valid yet", async () => {
    const endpoint = await startEndpoint();
    const early = await endpoint.authority.issueClient("a", { notBefore: new Date(Date.now() + DAY_MS) });
    endpoint.registerCertificate({ certificatePem: early.certificate, policies: [everything] });
    expect(await expectNoHandshake(endpoint, early)).toContain("CERT_NOT_YET_VALID");
  });

  it("fails for a server's certificate used by a client", async () => {
    const endpoint = await startEndpoint();
    const server = await endpoint.authority.issueServer(["localhost"]);
    endpoint.registerCertificate({ certificatePem: server.certificate, policies: [everything] });
    expect(await expectNoHandshake(endpoint, server)).toContain("INVALID_PURPOSE");
  });

  it("fails without a certificate", async () => {
    expect(await expectNoHandshake(await startEndpoint(), {})).toContain("certificate");
  });

  it("fails for a client with another root, and the endpoint lives on", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint, everything);
    const other = await createAuthority();
    const client = openClient(endpoint, identity, { ca: other.certificate });
    const error = await new Promise<Error>((resolve) => client.once("error", resolve));
    expect("code" in error && error.code).toBe("SELF_SIGNED_CERT_IN_CHAIN");
    await connectClient(endpoint, identity);
  });
});

describe("policies and certificates change at once", () => {
  it("for the next CONNECT when a policy is attached", async () => {
    const endpoint = await startEndpoint();
    const identity = await registered(endpoint);
    await openRaw(endpoint, identity).socket.end(CONNECT_A);
    endpoint.attachPolicy(identity.certificateId, everything);
    await connectClient(endpoint, identity);
  });

  it("for live connections of the certificate when a policy is detached", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const identity = await registered(endpoint, everything);
    const bystander = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "bystander" });
    const client = await connectClient(endpoint, identity, { clientId: "a" });
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    endpoint.detachPolicy(identity.certificateId, everything);
    await closed;
    expect(await log.first("disconnected")).toMatchObject({ clientId: "a", reason: "policy-detached" });
    expect(bystander.connected).toBe(true);
    const raw = openRaw(endpoint, identity);
    raw.socket.write(CONNECT_A);
    expect(await raw.ended).toBe("");
    expect((await log.first("refused")).reason).toBe("no-policy");
  });

  it("when a certificate is made inactive, and active again", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const identity = await registered(endpoint, everything);
    const client = await connectClient(endpoint, identity);
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    endpoint.setActive(identity.certificateId, false);
    await closed;
    expect((await log.first("disconnected")).reason).toBe("inactive-certificate");
    endpoint.setActive(identity.certificateId, true);
    await connectClient(endpoint, identity);
  });

  it("but not for what is not known", async () => {
    const endpoint = await startEndpoint();
    const stranger = await (await createAuthority()).issueClient("a");
    const invalid = expect.toSatisfy((error) => isSakuraError(error, "INVALID_ARGUMENT"));
    expect(() => endpoint.registerCertificate({ certificatePem: stranger.certificate })).toThrow(invalid);
    expect(() => endpoint.registerCertificate({ certificatePem: "x" })).toThrow(invalid);
    expect(() => endpoint.attachPolicy(stranger.certificateId, everything)).toThrow(invalid);
    expect(() => endpoint.detachPolicy(stranger.certificateId, everything)).toThrow(invalid);
    expect(() => endpoint.setActive(stranger.certificateId, true)).toThrow(invalid);
  });
});
