/** The system's name for an error (`ENOENT`, `EACCES`), where it carries one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
