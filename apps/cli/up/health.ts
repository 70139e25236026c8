/** Whether the program at `url` says that it can do its work. */
export async function isHealthy(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5000) });
  return response.ok;
}
