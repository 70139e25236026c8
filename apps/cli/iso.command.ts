import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { publishIso, withdrawIso } from '#libs/fleet';
import { IsosService } from '#libs/isos';
import { withInstallation } from './installation.ts';
import { invalid } from './options.ts';

interface AddOptions {
  readonly file: string;
  readonly description?: string;
}

/** As images are called, with the capitals and dots that their makers give them. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,99}$/;

export function registerIso(program: Command): void {
  const iso = program
    .command('iso')
    .description('ISO images, which customers put into the CD drives of their servers');
  iso
    .command('add <name>')
    .description('register an ISO image and bring it to every host; again, to hosts that lack it')
    .requiredOption('--file <path>', 'the image')
    .option('--description <text>', 'what customers read; the name of its file unless told')
    .action(add);
  iso.command('list').description('the ISO images that customers can attach').action(list);
  iso
    .command('remove <name>')
    .description('take an ISO image from customers and hosts; refused while a server has it')
    .action(remove);
}

async function add(name: string, { file, description }: AddOptions): Promise<void> {
  if (!NAME.test(name)) throw invalid(`${name} must be 2 to 100 of letters, digits, ".", "_" and "-"`);
  const path = resolve(file);
  await withInstallation(async ({ dataSource, hypervisor, audit }) => {
    const what = { name, path, description: description ?? basename(path) };
    const { iso, failures } = await publishIso(dataSource, hypervisor, what, (host, sent, total) =>
      say(`${name} to ${host}: ${Math.floor((100 * sent) / total)} %`),
    );
    await audit('iso.add', iso.id);
    say(`${name} can be attached: ${iso.sizeBytes} bytes, SHA-256 ${iso.sha256}`);
    for (const { host, message } of failures) {
      process.stderr.write(`✖ ${host} did not take it: ${message}\n`);
      process.exitCode = 1;
    }
  });
}

async function list(): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    const { items } = await new IsosService(dataSource).list();
    for (const { name, sha256, description } of items) say(`${name.padEnd(30)} ${sha256} ${description}`);
  });
}

async function remove(name: string): Promise<void> {
  await withInstallation(async ({ dataSource, hypervisor, audit }) => {
    const iso = await new IsosService(dataSource).resolve(name);
    await withdrawIso(dataSource, hypervisor, iso);
    await audit('iso.remove', iso.id);
    say(`${name} is gone`);
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
