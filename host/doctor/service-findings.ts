/** One integration service of a bridge's file: its certificates, and what of it works from here. */
import { X509Certificate } from "node:crypto";
import { formatDateTime } from "../../protocol/datetime.ts";
import { errnoOf, reasonOf } from "../../protocol/errors.ts";
import { checkService, type ServiceCheckName, type ServiceCheckResult } from "../bridge/aws-iot/check.ts";
import { keptClientId } from "../config/client-ids.ts";
import type { BridgeConfig, ServiceConfig } from "../config/schema.ts";
import { quoted } from "../shell-word.ts";
import type { RunningBridge } from "./bridge-place.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";

/** In the order in which they are made. */
export const SERVICE_CHECKS = [
  "certificate",
  "root",
  "name",
  "tcp",
  "tls",
  "connect",
  "subscribe",
  "receive",
  "publish",
  "result-topic",
] as const satisfies readonly (ServiceCheckName | "root")[];

export interface ServiceScene {
  /** As it was named: for the commands that are proposed. */
  readonly file: string;
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
      if (check === "connect" && clientId === undefined && result === "not-tested") seen.push(withoutId(scene));
      // Its dates have been told, and more of them.
      else if (check !== "certificate") seen.push(findingOf(check, result, message));
    },
    signal,
  );
  return [...certificates, ...seen];
}

function withoutId({ file, service }: ServiceScene): Finding {
  const reason = "it has no client_id yet: who starts the bridge or asks for the policy makes one, and it stays";
  const command = `sakuraio aws-iot policy --config ${quoted(file)} --service ${quoted(service.name)}`;
  const advice = [
    `\`${command}\` makes it, and prints the policy that names it: attach that at AWS IoT, and run the doctor again`,
  ];
  return skipped("connect", reason, {}, advice);
}

/** Not asked again from here: a second connection with its client id would throw the bridge out. */
function asTheBridgeSays(name: string, { services }: RunningBridge): Finding {
  const service = services.get(name);
  if (service === undefined) {
    return skipped("connect", "a bridge runs with this client id, and a second connection would throw it out", {}, [
      "see the bridge's log, or stop the bridge and run the doctor again, to have each step tested",
    ]);
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
  const own = datesOf(credentials.certificate, now);
  const renew = "make a new certificate: `sakuraio aws-iot setup` makes one, and the bridge takes it on SIGHUP";
  const found = examineDates("certificate", "cert", own, renew);
  // The loader has compared the two.
  const certificate = found.verdict === "ok" ? { ...found, seen: `${found.seen}, and private_key is its key` } : found;
  return [certificate, examineRoots(credentials.rootCa, now)];
}

/** The one that lasts longest decides: a file may keep the old one beside the new. */
function examineRoots(pem: string, now: number): Finding {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const roots = blocks.map((block) => datesOf(new X509Certificate(block), now));
  const [best = { from: 0, to: 0, now, subject: "" }] = roots.sort(
    (a, b) => Number(isValid(b)) - Number(isValid(a)) || b.to - a.to,
  );
  const renew =
    "take the authority's present root; for AWS IoT, AmazonRootCA1.pem of https://www.amazontrust.com/repository/";
  const found = examineDates("root", "rootca_cert", best, renew);
  const out = roots.filter((root) => !isValid(root)).length;
  if (out === 0 || found.verdict === "problem") return found;
  const others = `${out} of its ${roots.length} certificates ${out === 1 ? "is" : "are"} out of date`;
  return { ...found, seen: `${found.seen}; ${others}`, facts: { ...found.facts, outOfDate: out } };
}

/** Unix ms. */
interface Dates {
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly subject: string;
}

function datesOf({ validFrom, validTo, subject }: X509Certificate, now: number): Dates {
  return { from: Date.parse(validFrom), to: Date.parse(validTo), now, subject };
}

function isValid({ from, to, now }: Dates): boolean {
  return from <= now && now <= to;
}

/** @param what the key in the file */
function examineDates(check: "certificate" | "root", what: string, dates: Dates, renew: string): Finding {
  const { from, to, now, subject } = dates;
  const days = Math.floor((to - now) / DAY_MS);
  const facts = { validFrom: formatDateTime(from), validTo: formatDateTime(to), days, subject };
  if (now < from) {
    return problem(check, `${what} is valid only from ${formatDateTime(from)}`, {
      advice: ["check this machine's clock (`timedatectl`)", renew],
      facts,
    });
  }
  if (now > to) {
    const advice = [renew, "or check this machine's clock (`timedatectl`)"];
    return problem(check, `${what} expired on ${formatDateTime(to)}`, { advice, facts });
  }
  if (to - now < SOON_MS) {
    return warning(check, `${what} expires in ${days} days, on ${formatDateTime(to)}`, { advice: [renew], facts });
  }
  return ok(check, `${what} is valid until ${formatDateTime(to)}`, { facts });
}
