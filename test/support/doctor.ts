/** Staging for the doctor: a port with something on it, and what is said of it. */

import type { ExaminePortOptions } from "../../host/doctor/examine-port.ts";
import { examinePort } from "../../host/doctor/examine-port.ts";
import type { Finding } from "../../host/doctor/finding.ts";
import type { ByteDuplex } from "../../protocol/bus.ts";

/** All findings of a port. */
export async function examined(uri: string, options: ExaminePortOptions = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of examinePort(uri, options)) findings.push(finding);
  return findings;
}

export function findingOf(findings: readonly Finding[], check: string): Finding {
  const finding = findings.find((one) => one.check === check);
  if (!finding) throw new Error(`no finding ${check} among ${findings.map((one) => one.check).join(", ")}`);
  return finding;
}

/** `ok port`, a line for each finding. */
export function verdicts(findings: readonly Finding[]): string[] {
  return findings.map(({ verdict, check }) => `${verdict} ${check}`);
}

/** Sends back whatever comes: TX and RX joined. */
export function joinTxAndRx(duplex: ByteDuplex): void {
  duplex.onBytes((bytes) => duplex.write(Uint8Array.from(bytes)));
}
