import { fstatSync, writeSync } from 'node:fs';
import { DomainError } from '#libs/kernel';
import { planAdoption } from '../adoption/plan.ts';
import { fileBytes } from '../byte-source.ts';

/** Looks where keys would go in a raw disk, as a process of the sandbox: descriptor 3 is the file. */
const FILE = 3;

function answer(): unknown {
  try {
    return { plan: planAdoption(fileBytes(FILE, fstatSync(FILE).size)) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { refusal: { code: error.code, message: error.message } };
  }
}

writeSync(1, JSON.stringify(answer()));
