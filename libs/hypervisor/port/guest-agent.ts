export interface AgentExecOptions {
  readonly timeoutSeconds: number;
  /** Its standard input, which is empty unless told; at most 1 MiB. */
  readonly input?: string;
}

export interface AgentExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}
