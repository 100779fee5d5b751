/** The topics of a service: how they are made, and which are refused, with the reason (aws-iot §2, §3). */

/** What AWS allows a topic, those of `$aws/rules/RULE/` not counted. */
const TOPIC_BYTES_MAX = 256;
const TOPIC_SLASHES_MAX = 7;

/** Basic Ingest: straight to a rule, without the messaging charge. */
const BASIC_INGEST = /^\$aws\/rules\/[A-Za-z0-9_]+(\/|$)/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** `publish_prefix/MODULE_ID`, with exactly one slash between, whether or not the prefix ends in one. */
export function publishTopic(prefix: string, module: string): string {
  return `${trimSlashes(prefix)}/${module}`;
}

/**
 * What is wrong with a publish prefix, or nothing.
 * @param modules the ids that are published under it; the longest counts
 */
export function publishPrefixProblem(prefix: string, modules: readonly string[] = []): string | undefined {
  if (prefix === "") return "is empty: name the topic under which the modules' messages go, such as sakura/up";
  const bad = characterProblem(prefix);
  if (bad !== undefined) return bad;
  if (prefix.startsWith("$") && !BASIC_INGEST.test(prefix)) {
    return "begins with $: of those topics only $aws/rules/RULE can be published to, with the name of a rule";
  }
  const longest = modules.reduce((a, b) => (Buffer.byteLength(b) > Buffer.byteLength(a) ? b : a), "");
  return sizeProblem(publishTopic(prefix, longest), longest === "" ? "" : ` with the module id ${longest}`);
}

/** What is wrong with a subscribe topic, or nothing. */
export function subscribeTopicProblem(topic: string): string | undefined {
  if (topic === "") return "is empty: name the topic from which downlink messages come, such as sakura/down";
  if (/[#+]/.test(topic)) return "has a wildcard (# or +): name one topic";
  const bad = characterProblem(topic);
  if (bad !== undefined) return bad;
  if (topic.startsWith("$")) return "begins with $: those topics are the broker's own; choose another";
  return sizeProblem(topic, "");
}

/** What is wrong with the topic on which a downlink's outcome is told, or nothing. */
export function resultTopicProblem(topic: string): string | undefined {
  if (topic === "") return "is empty: name the topic for the outcome of downlink messages, or leave it out";
  const bad = characterProblem(topic);
  if (bad !== undefined) return bad;
  if (topic.startsWith("$") && !BASIC_INGEST.test(topic)) {
    return "begins with $: of those topics only $aws/rules/RULE can be published to, with the name of a rule";
  }
  return sizeProblem(topic, "");
}

/**
 * Why a prefix and a subscribe topic cannot go together, or nothing: a message that the bridge publishes must never
 * come back to it. A module id may be anything without a slash, so every topic one level below the prefix may be a
 * publish topic.
 */
export function overlapProblem(prefix: string, subscribeTopic: string): string | undefined {
  const above = trimSlashes(prefix);
  const topic = trimSlashes(subscribeTopic);
  if (topic === above) return `overlaps with the publish prefix ${prefix}: choose a topic of its own`;
  if (!topic.startsWith(`${above}/`)) return undefined;
  const below = topic.slice(above.length + 1);
  if (below.includes("/")) return undefined;
  return `overlaps with the publish prefix ${prefix}: the messages of a module "${below}" would go there; choose a topic that is not directly below the prefix`;
}

/** Why a result topic and a subscribe topic cannot go together, or nothing: an outcome must not come back as a message. */
export function resultOverlapProblem(resultTopic: string, subscribeTopic: string): string | undefined {
  if (trimSlashes(resultTopic) !== trimSlashes(subscribeTopic)) return undefined;
  return `overlaps with the subscribe topic ${subscribeTopic}: an outcome would come back as a message; choose another`;
}

/** The client ids of a service's connections (aws-iot §5): CLIENT_ID, CLIENT_ID-2 … CLIENT_ID-N. */
export function connectionClientIds(clientId: string, connections: number): readonly string[] {
  return Array.from({ length: connections }, (_, i) => (i === 0 ? clientId : `${clientId}-${i + 1}`));
}

function characterProblem(topic: string): string | undefined {
  if (/[#+]/.test(topic)) return "has a # or +, which only a filter may have: leave it out";
  if (topic.includes("\u0000")) return "has a NUL, which no topic may have: leave it out";
  if (LONE_SURROGATE.test(topic)) return "has half a character (a lone surrogate), which no topic may have";
  return undefined;
}

function sizeProblem(topic: string, how: string): string | undefined {
  const counted = topic.replace(BASIC_INGEST, "");
  const bytes = Buffer.byteLength(counted);
  if (bytes > TOPIC_BYTES_MAX) {
    return `makes a topic of ${bytes} bytes${how}: AWS IoT takes ${TOPIC_BYTES_MAX}; choose a shorter one`;
  }
  const slashes = counted.split("/").length - 1;
  if (slashes > TOPIC_SLASHES_MAX) {
    return `makes a topic with ${slashes} slashes${how}: AWS IoT takes ${TOPIC_SLASHES_MAX}; choose one with fewer levels`;
  }
  return undefined;
}

function trimSlashes(topic: string): string {
  return topic.replace(/\/+$/, "");
}
