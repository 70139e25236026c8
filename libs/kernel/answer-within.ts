/**
 * What `work` comes to, if it does in time; else it goes on, and what becomes of it is nobody's.
 * @param who is named by the error @throws Error `no answer from …`; else what `work` throws
 */
export async function answerWithin<T>(milliseconds: number, who: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer from ${who} in ${milliseconds} ms`)), milliseconds);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
