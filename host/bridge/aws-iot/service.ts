/** The service `aws-iot`: from the file's fields to connections, and what AWS allows each of them (aws-iot §3, §5). */
import type { Clock } from "../../../protocol/bus.ts";
import type { AwsIotServiceConfig } from "../../config/schema.ts";
import type { OutboxLane, OutboxMessage } from "../outbox/outbox.ts";
import { ConnectPacer } from "../service/connect-pacer.ts";
import { ConnectedService } from "../service/connected-service.ts";
import type { Address } from "../service/dispatcher.ts";
import type { Service } from "../service.ts";
import { connectionClientIds, publishPrefixProblem, publishTopic } from "../topics.ts";
import { connectAwsIot } from "./connection.ts";
import { FailureHistory } from "./history.ts";

export interface AwsIotServiceOptions {
  readonly config: AwsIotServiceConfig;
  readonly clientId: string;
  readonly lane: OutboxLane;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  /** One for the whole bridge; default the service's own. */
  readonly pacer?: ConnectPacer | undefined;
}

/** What AWS allows a connection, in and out together; elsewhere there is no such limit. */
const AWS_RATE_MAX = 100;
/** AWS's bound for one payload, in bytes. */
const PAYLOAD_MAX = 128 * 1024;

export function awsIotService(options: AwsIotServiceOptions): Service {
  const { config, clientId, lane, clock, random, pacer = new ConnectPacer(clock) } = options;
  const clientIds = connectionClientIds(clientId, config.connections);
  const histories = new Map(clientIds.map((id) => [id, new FailureHistory()]));
  return new ConnectedService({
    name: config.name,
    endpoint: `${config.hostname}:${config.port}`,
    clientIds,
    qos: config.qos,
    lane,
    clock,
    random,
    maxRate: maxRateOf(config),
    addressOf: addresses(config.publish_prefix),
    connect: (id, events, signal) =>
      connectAwsIot({
        config,
        clientId: id,
        subscribes: id === clientId,
        history: histories.get(id) ?? new FailureHistory(),
        pacer,
        clock,
        events,
        signal,
      }),
  });
}

/** Messages a second and connection, in and out together; nothing for no limit. AWS discards what is more. */
export function maxRateOf({
  hostname,
  max_publish_rate: wanted,
}: Pick<AwsIotServiceConfig, "hostname" | "max_publish_rate">): number | undefined {
  if (!/\.amazonaws\.com(\.cn)?\.?$/i.test(hostname)) return wanted;
  return Math.min(wanted ?? AWS_RATE_MAX, AWS_RATE_MAX);
}

/** What AWS hangs up on is not sent: it would take down what is in flight with it. */
function addresses(prefix: string): (message: OutboxMessage) => Address {
  const known = new Map<string, Address>();
  return ({ module, payload }) => {
    if (payload.length > PAYLOAD_MAX) {
      return { problem: `its payload has ${payload.length} bytes; AWS IoT takes ${PAYLOAD_MAX}` };
    }
    const found = known.get(module);
    if (found !== undefined) return found;
    const problem = publishPrefixProblem(prefix, [module]);
    const address =
      problem === undefined
        ? { topic: publishTopic(prefix, module) }
        : { problem: `publish_prefix ${prefix} ${problem}` };
    known.set(module, address);
    return address;
  };
}
