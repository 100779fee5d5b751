/**
 * Why a connection to AWS IoT did not come about or ended, in words that say what to do. AWS itself says nothing
 * (aws-iot §3), so this goes by how far the connection got, by the system's error, and by the certificate's dates.
 */
import type { X509Certificate } from "node:crypto";
import { SakuraError } from "../../../protocol/errors.ts";
import type { ServiceFailure } from "../service.ts";
import { publishTopic } from "../topics.ts";
import type { Repeats } from "./history.ts";
import { rootNeeded, type ServerChain } from "./root.ts";

/** How far a connection got. */
export type Phase = "resolve" | "connect" | "handshake" | "connack" | "suback" | "online";

/** What the words name. */
export interface FailureScene {
  readonly hostname: string;
  readonly port: number;
  readonly clientId: string;
  readonly publishPrefix: string;
  readonly subscribeTopic: string;
  /** The service's own. */
  readonly certificate: X509Certificate;
  /** Unix ms. */
  readonly now: number;
  /** How often this happened; once, where nothing is known. */
  readonly repeats?: Repeats | undefined;
  /** What the server showed of its certificates. */
  readonly serverChain?: ServerChain | undefined;
  /** What was published just before the end. */
  readonly lastPublish?: { readonly topic: string; readonly bytes: number } | undefined;
}

/** So often in a row is no accident. */
const SURE_AT_CONNECT = 3;
const SURE_ONLINE = 2;

/** What happened: an error, the end of the time, or an end without any error. */
export type Ending =
  | { readonly how: "error"; readonly error: unknown }
  | { readonly how: "timeout"; readonly seconds: number }
  | { readonly how: "closed" }
  | { readonly how: "connack"; readonly code: number }
  | { readonly how: "suback" };

/** @returns SERVICE_FAILED; context.reason is a {@link ServiceFailure} */
export function explainFailure(phase: Phase, ending: Ending, scene: FailureScene): SakuraError {
  const [reason, message] = describe(phase, ending, scene);
  return new SakuraError("SERVICE_FAILED", message, {
    context: { reason, host: scene.hostname, port: scene.port },
    ...(ending.how === "error" && { cause: ending.error }),
  });
}

type Words = readonly [reason: ServiceFailure, message: string];

function describe(phase: Phase, ending: Ending, scene: FailureScene): Words {
  const at = `${scene.hostname}:${scene.port}`;
  switch (ending.how) {
    case "timeout":
      return timedOut(phase, ending.seconds, at);
    case "connack":
      return ["connect-refused", `${at} refused the connection: ${connackMeaning(ending.code, scene)}`];
    case "suback":
      return [
        "subscribe-refused",
        `${at} refused the subscription: the policy must allow iot:Subscribe on topicfilter/${scene.subscribeTopic}`,
      ];
    case "error":
    case "closed": {
      const error = ending.how === "error" ? ending.error : undefined;
      return network(error, at) ?? inPhase(phase, error, scene, at);
    }
  }
}

function timedOut(phase: Phase, seconds: number, at: string): Words {
  const got = {
    resolve: "its name was not resolved: check the network and its name server",
    connect: "it did not answer: check the host name, the port, and what firewalls let out",
    handshake: "the TLS handshake did not end: is this the port of an MQTT endpoint with TLS?",
    connack: "it did not answer the CONNECT: is this an MQTT endpoint?",
    suback: "it did not answer the SUBSCRIBE",
    online: "it did not answer a ping: the network went away",
  }[phase];
  return [phase === "online" ? "connection-lost" : "timed-out", `${at}, after ${seconds} s: ${got}`];
}

/** What the system says of names and routes. Nothing once the handshake runs: then an error means something else. */
function network(error: unknown, at: string): Words | undefined {
  const host = at.slice(0, at.lastIndexOf(":"));
  switch (codeOf(error)) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
    case "EAI_NONAME":
    case "EAI_FAIL":
      return ["name-not-resolved", `the name ${host} is not known: check hostname, the network and its name server`];
    case "ECONNREFUSED":
      return ["connection-refused", `nothing listens on ${at}: check hostname and port, and whether the broker runs`];
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ENETDOWN":
    case "EADDRNOTAVAIL":
      return ["unreachable", `there is no way to ${at}: check the network`];
    case "ETIMEDOUT":
      return ["timed-out", `${at} does not answer: check hostname, port, and what firewalls let out`];
    default:
      return undefined;
  }
}

function inPhase(phase: Phase, error: unknown, scene: FailureScene, at: string): Words {
  if (phase === "online") return lost(error, scene, at);
  if (phase === "suback") {
    return [
      "subscribe-refused",
      `${at} closed the connection at the SUBSCRIBE: the policy must allow iot:Subscribe on topicfilter/${scene.subscribeTopic}`,
    ];
  }
  const server = serverCertificate(error, scene, at);
  if (server) return server;
  // What a server makes of a client's certificate arrives as an alert, as a reset, or as nothing at all.
  if (phase === "handshake" || phase === "connack") {
    const own = ownCertificate(scene, at);
    if (own) return own;
    if (isCertificateAlert(error)) {
      return [
        "certificate-refused",
        `${at} does not take the service's certificate (${codeOf(error)}): is it registered and active there, and is cert the certificate of this account and region?`,
      ];
    }
  }
  if (phase === "connack") return ["no-connack", noConnackWords(scene, at)];
  if (codeOf(error) === "ERR_SSL_WRONG_VERSION_NUMBER" || codeOf(error) === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return ["not-tls", `what listens on ${at} does not speak TLS: check the port; AWS IoT takes MQTT on 8883 and 443`];
  }
  const text = error instanceof Error && error.message !== "" ? error.message : "closed without a word";
  return ["tls-failed", `the TLS connection with ${at} failed: ${text}; check hostname and port`];
}

/** OpenSSL's verdicts on the server's certificate, as Node names them. */
const UNTRUSTED = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_SIGNATURE_FAILURE",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "CERT_CHAIN_TOO_LONG",
]);

function serverCertificate(error: unknown, { hostname, serverChain }: FailureScene, at: string): Words | undefined {
  const code = codeOf(error) ?? "";
  if (UNTRUSTED.has(code)) {
    const needed = rootNeeded(hostname, serverChain);
    return ["server-not-trusted", `the certificate of ${at} is not signed by rootca_cert (${code}): ${needed}`];
  }
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return ["server-name-mismatch", `the certificate of ${at} is for another name: check hostname`];
    case "CERT_HAS_EXPIRED":
      return ["server-expired", `the certificate of ${at} or its root has expired: check this machine's clock`];
    case "CERT_NOT_YET_VALID":
      return ["server-expired", `the certificate of ${at} or its root is not valid yet: check this machine's clock`];
    default:
      return undefined;
  }
}

function ownCertificate({ certificate, now }: FailureScene, at: string): Words | undefined {
  const check = "check this machine's clock, or make a new certificate at AWS IoT and set cert and private_key";
  if (now > Date.parse(certificate.validTo)) {
    return [
      "certificate-expired",
      `${at} closed the connection: the service's certificate expired on ${isoDate(certificate.validTo)}; ${check}`,
    ];
  }
  if (now < Date.parse(certificate.validFrom)) {
    return [
      "certificate-not-yet-valid",
      `${at} closed the connection: the service's certificate is valid only from ${isoDate(certificate.validFrom)}; ${check}`,
    ];
  }
  return undefined;
}

function isoDate(text: string): string {
  return new Date(text).toISOString();
}

/** Alerts by which a TLS server refuses the client's certificate: `ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED` and such. */
function isCertificateAlert(error: unknown): boolean {
  return /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)/.test(
    codeOf(error) ?? "",
  );
}

function noConnackWords({ clientId, hostname, repeats }: FailureScene, at: string): string {
  const times = repeats?.atConnect ?? 1;
  const check =
    `that the certificate is active, that a policy is attached to it, that the policy allows iot:Connect on ` +
    `client/${clientId}, and that the certificate belongs to the account and region of ${hostname}`;
  if (times < SURE_AT_CONNECT) return `${at} closed the connection without a word at the CONNECT. Check ${check}`;
  return (
    `${at} closed the connection without a word at the CONNECT, ${times} times in a row: it refuses this client, and ` +
    `trying again will not help. One of these is not so: ${check}`
  );
}

/** It was online. */
function lost(error: unknown, scene: FailureScene, at: string): Words {
  const { clientId, publishPrefix, subscribeTopic, repeats, lastPublish } = scene;
  const detail = codeOf(error) ?? (error instanceof Error ? error.message : "");
  const closed = `the connection with ${at} was closed${detail === "" ? "" : ` (${detail})`}`;
  const other = `another client with the client id ${clientId} throws this one out`;
  const topic = lastPublish?.topic ?? publishTopic(publishPrefix, "*");
  const publish = `the policy does not allow iot:Publish on topic/${topic}`;
  const receive = `iot:Receive on topic/${subscribeTopic}`;
  if (lastPublish !== undefined) {
    const after = `${closed} right after a publish to ${lastPublish.topic} (${lastPublish.bytes} bytes)`;
    const times = repeats?.afterPublish ?? 1;
    if (times < SURE_ONLINE) return ["connection-lost", `${after}. If that repeats: ${publish}, or ${other}`];
    return [
      "publish-refused",
      `${after}, ${times} times in a row: check that the policy allows iot:Publish on topic/${lastPublish.topic}, that it ` +
        `is within AWS IoT's limits (128 KB, 256 bytes of topic, 7 slashes), and that no ${other.replace("another", "other")}`,
    ];
  }
  const times = repeats?.soon ?? 1;
  if (times >= SURE_ONLINE) {
    return [
      "thrown-out",
      `${closed} soon after it was online, ${times} times in a row, with nothing published just before: ${other}. Find ` +
        `it, or give this service a client_id of its own; otherwise the policy does not allow ${receive}`,
    ];
  }
  return ["connection-lost", `${closed}. If that repeats: ${other}, or ${publish}, or ${receive}`];
}

function connackMeaning(code: number, { clientId }: FailureScene): string {
  switch (code) {
    case 1:
      return "it does not speak MQTT 3.1.1";
    case 2:
      return `it does not take the client id ${clientId}`;
    case 3:
      return "its MQTT service is not available now";
    case 4:
      return "it wants a user name and a password, which AWS IoT does not";
    case 5:
      return `it does not allow this: check the policy for iot:Connect on client/${clientId}`;
    default:
      return `return code ${code}`;
  }
}

/** The error's own code, or that of the first of several: a name may have many addresses. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}
