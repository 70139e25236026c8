import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { type ImportImageForm, importImageForm } from '#libs/contracts';
import { IMPORT_SETTINGS, type ImportSettings, ImportStore, tooLarge, UploadsService } from '#libs/imports';
import { OrdersService } from '#libs/orders';
import type { AuthenticatedRequest } from '../auth/principal.ts';
import { ApiError } from '../http/api-error.ts';
import { toInvalidInput } from '../http/validation.pipe.ts';

const FORM_LIMITS = { files: 1, fields: 8, parts: 9, fieldSize: 4096, fieldNameSize: 64, headerPairs: 32 };

/** A form whose file has gone to disk as it came. */
export interface ReceivedForm {
  readonly fields: ImportImageForm;
  readonly uploadId: number;
  /** By which the same file is known when the request is repeated. */
  readonly sha256: string;
}

export interface RequestWithForm extends AuthenticatedRequest {
  form?: ReceivedForm;
}

/**
 * Takes a form with a disk in, before anybody else looks at the request. Whatever becomes of it, nothing is left of a file
 * that no import has taken.
 */
@Injectable()
export class FormInterceptor implements NestInterceptor {
  constructor(
    private readonly uploads: UploadsService,
    private readonly store: ImportStore,
    private readonly orders: OrdersService,
    @Inject(IMPORT_SETTINGS) private readonly settings: ImportSettings,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<RequestWithForm>();
    if (!request.isMultipart()) return next.handle();
    return from(this.around(request, http.getResponse<FastifyReply>(), next));
  }

  private async around(request: RequestWithForm, reply: FastifyReply, next: CallHandler): Promise<unknown> {
    if (!request.user) throw new ApiError('unauthorized', 'sign in, or send a token');
    await this.orders.assertMayOrder(request.user.accountId);
    const { id } = await this.uploads.open(request.user.projectId, null);
    try {
      request.form = await this.receive(request, id);
      return await lastValueFrom(next.handle(), { defaultValue: null });
    } catch (error) {
      // What is still on its way is not read to its end.
      reply.header('connection', 'close');
      throw isTorn(error) ? new ApiError('invalid_input', 'the form ends before its last boundary') : error;
    } finally {
      await this.uploads.discard(id);
    }
  }

  private async receive(request: RequestWithForm, uploadId: number): Promise<ReceivedForm> {
    const fields: Record<string, unknown> = {};
    let file: { bytes: number; sha256: string } | undefined;
    const limits = { ...FORM_LIMITS, fileSize: this.settings.maxFileBytes };
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') {
        fields[part.fieldname] = part.value;
      } else if (part.fieldname === 'file') {
        const to = createWriteStream(this.store.uploadPath(uploadId), { flags: 'wx', mode: 0o600 });
        const hash = createHash('sha256');
        await pipeline(part.file, (source: AsyncIterable<Buffer>) => hashed(source, hash), to);
        if (part.file.truncated) throw tooLarge(this.settings);
        file = { bytes: to.bytesWritten, sha256: hash.digest('hex') };
      } else
        throw new ApiError('invalid_input', `the file's part must be called file, not ${part.fieldname}`);
    }
    const form = importImageForm.safeParse(fields);
    if (!form.success) throw toInvalidInput(form.error.issues);
    if (file === undefined) {
      const missing = [{ name: 'file', messages: ['is missing'] }];
      throw new ApiError('invalid_input', "invalid input in field 'file': is missing", { fields: missing });
    }
    await this.uploads.finish(uploadId, file.bytes);
    return { fields: form.data, uploadId, sha256: file.sha256 };
  }
}

async function* hashed(source: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

/** As the parser of forms, which has no codes, tells it. */
function isTorn(error: unknown): boolean {
  return error instanceof Error && /unexpected end|terminated early|malformed|multipart/i.test(error.message);
}
