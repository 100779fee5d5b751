/** One integration service of a bridge's file: its certificates, and what of it works from here. */
import { X509Certificate } from "node:crypto";
import { formatDateTime } from "../../protocol/datetime.ts";
import { errnoOf, reasonOf } from "../../protocol/errors.ts";
import { checkService, type ServiceCheckName, type ServiceCheckResult } from "../bridge/aws-iot/check.ts";
import { keptClientId } from "../config/client-ids.ts";
import type { BridgeConfig, ServiceConfig } from "../config/schema.ts";
import type { RunningBridge } from "./bridge-place.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";

/** In the order in which they are made. */
export const SERVICE_CHECKS = [
  "certificate",
  "name",
  "tcp",
  "tls",
  "connect",
  "subscribe",
  "receive",
  "publish",
  "result-topic",
] as const satisfies readonly ServiceCheckName[];

export interface ServiceScene {
  readonly config: BridgeConfig;
  readonly service: ServiceConfig;
  readonly running: RunningBridge | undefined;
  /** Unix ms. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** @throws SakuraError ABORTED */
export async function examineService(scene: ServiceScene): Promise<Finding[]> {
  const { config, service, running, now, signal } = scene;
  const certificates = examineCertificates(service, now);
  if (running) return [...certificates, asTheBridgeSays(service.name, running)];
  let clientId: string | undefined;
  try {
    clientId = service.client_id ?? keptClientId(config.outbox.path, service.name);
  } catch (error) {
    const facts = { code: errnoOf(error) };
    return [...certificates, problem("connect", `its client id cannot be read: ${reasonOf(error)}`, { facts })];
  }
  const modules = service.modules ?? config.modules.map(({ id }) => id);
  const seen: Finding[] = [];
  await checkService(
    { service, clientId, module: modules[0] ?? "", publish: false },
    (check, result, message) => {
      // Its dates have been told, and more of them.
      if (check !== "certificate") seen.push(findingOf(check, result, message));
    },
    signal,
  );
  return [...certificates, ...seen];
}

/** Not asked again from here: a second connection with its client id would throw the bridge out. */
function asTheBridgeSays(name: string, { services }: RunningBridge): Finding {
  const service = services.get(name);
  if (service === undefined) {
    return skipped(
      "connect",
      "a bridge runs with this client id, and a second connection would throw it out: see its log",
    );
  }
  const { state, reason } = service;
  const facts = { state, reason };
  if (state === "online") return ok("connect", "the running bridge is online there", { facts });
  const why = reason === undefined ? "" : `: ${reason}`;
  const advice = ["see the bridge's log; stop the bridge and run the doctor again, to have each step tested"];
  return problem("connect", `the running bridge is not online there (${state})${why}`, { advice, facts });
}

function findingOf(check: ServiceCheckName, result: ServiceCheckResult, message: string): Finding {
  switch (result) {
    case "ok":
      return ok(check, message);
    case "not-tested":
      return skipped(check, message);
    case "failed":
      return problem(check, message, { advice: ADVICE[check] ?? [] });
  }
}

/** The message says what is missing; this is how it is mended. */
const ADVICE: Readonly<Partial<Record<ServiceCheckName, readonly string[]>>> = {
  name: [
    "check hostname: `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints it",
    "check this machine's network",
  ],
  tcp: ["check that hostname and port are right, and that no firewall keeps TCP 8883 in (port: 443 works at AWS too)"],
  tls: ["check rootca_cert, and that hostname is the endpoint that ends in -ats.iot.REGION.amazonaws.com"],
  connect: [
    "check at AWS IoT that the certificate is active and has a policy: `sakuraio aws-iot policy` prints the one it needs",
  ],
  subscribe: ["attach the policy that `sakuraio aws-iot policy` prints"],
  publish: ["attach the policy that `sakuraio aws-iot policy` prints"],
};

const DAY_MS = 86_400_000;
/** A new certificate takes somebody a while to make. */
const SOON_MS = 30 * DAY_MS;

function examineCertificates({ credentials }: ServiceConfig, now: number): Finding[] {
  const found = examineDates(credentials.certificate, now);
  const roots = examineRoots(credentials.rootCa, now);
  // The loader has compared them.
  const seen = found.verdict === "ok" ? `${found.seen}, and private_key is its key` : found.seen;
  return [{ ...found, seen }, ...roots];
}

/** Only what is wrong with them: the handshake tells whether one of them is the right one. */
function examineRoots(text: string, now: number): Finding[] {
  const roots = (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
  const last = Math.max(...roots.map(({ validTo }) => Date.parse(validTo)));
  if (roots.length === 0 || last - now >= SOON_MS) return [];
  const advice = ["put Amazon Root CA 1 there: https://www.amazontrust.com/repository/AmazonRootCA1.pem"];
  const facts = { rootValidTo: formatDateTime(last) };
  const when = last < now ? "expired on" : "expires on";
  return [warning("certificate", `rootca_cert ${when} ${formatDateTime(last)}`, { advice, facts })];
}

function examineDates({ validFrom, validTo, subject }: X509Certificate, now: number): Finding {
  const from = Date.parse(validFrom);
  const to = Date.parse(validTo);
  const days = Math.floor((to - now) / DAY_MS);
  const facts = { validFrom: formatDateTime(from), validTo: formatDateTime(to), days, subject };
  const renew = "make a new certificate: `sakuraio aws-iot setup` makes one, and the bridge takes it on SIGHUP";
  if (now < from) {
    return problem("certificate", `cert is valid only from ${formatDateTime(from)}`, {
      advice: ["check this machine's clock (`timedatectl`)", renew],
      facts,
    });
  }
  if (now > to) {
    const advice = [renew, "or check this machine's clock (`timedatectl`)"];
    return problem("certificate", `cert expired on ${formatDateTime(to)}`, { advice, facts });
  }
  if (to - now < SOON_MS) {
    return warning("certificate", `cert expires in ${days} days, on ${formatDateTime(to)}`, { advice: [renew], facts });
  }
  return ok("certificate", `cert is valid until ${formatDateTime(to)}`, { facts });
}
