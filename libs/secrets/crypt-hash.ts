import { spawn } from 'node:child_process';

const TIMEOUT_MILLISECONDS = 10_000;

/**
 * The SHA-512 crypt(3) hash (`$6$…`) of a password, as /etc/shadow has it. The password goes to openssl by its
 * standard input, so it stands in no process list.
 */
export function cryptHash(password: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', ['passwd', '-6', '-stdin'], {
      // The rest of our environment holds secrets.
      env: { PATH: process.env.PATH },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: TIMEOUT_MILLISECONDS,
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const hash = out.trim();
      if (code === 0 && hash.startsWith('$6$')) resolve(hash);
      else reject(new Error(`openssl passwd ended with ${code}`));
    });
    child.stdin.on('error', reject);
    child.stdin.end(`${password}\n`);
  });
}
