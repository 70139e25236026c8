import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Body, Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SshKeysService } from '#libs/accounts';
import {
  type ImportImage,
  type ImportImageForm,
  importImage,
  importImageForm,
  importImageResponse,
} from '#libs/contracts';
import {
  IMPORT_SETTINGS,
  ImageImports,
  type ImportSettings,
  ImportStore,
  type StartedImport,
  tooLarge,
  UploadsService,
  type WantedImport,
} from '#libs/imports';
import { OrdersService } from '#libs/orders';
import { presentAction } from '../actions/action.presenter.ts';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { presentImage } from '../catalog/image.presenter.ts';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { toInvalidInput } from '../http/validation.pipe.ts';
import { FORM } from './streamed-bodies.ts';

const FORM_LIMITS = { files: 1, fields: 8, parts: 9, fieldSize: 4096, fieldNameSize: 64, headerPairs: 32 };

/** Disks that customers bring along. */
@Controller('v1/images/import')
export class ImageImportsController {
  constructor(
    private readonly imports: ImageImports,
    private readonly uploads: UploadsService,
    private readonly store: ImportStore,
    private readonly orders: OrdersService,
    private readonly sshKeys: SshKeysService,
    @Inject(IMPORT_SETTINGS) private readonly settings: ImportSettings,
  ) {}

  @Post()
  @RouteConfig({ streams: FORM })
  @Endpoint({
    summary:
      'Make an image of a disk: JSON with `url` or `upload`, or multipart/form-data with name, format and the file',
    access: 'write',
    response: importImageResponse,
    status: 201,
    audit: 'image.import',
  })
  async import(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: importImage.optional() }) body: ImportImage | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.orders.assertMayOrder(principal.accountId);
    if (request.isMultipart()) return present(await this.fromForm(principal, request, reply));
    if (body === undefined) throw new ApiError('invalid_input', 'the body is missing');
    const { upload, url } = body;
    const wanted = await this.wantedOf(principal, body);
    if (url !== undefined) return present(await this.imports.fromUrl(wanted, url));
    return present(await this.imports.fromUpload(wanted, Number(upload)));
  }

  private async wantedOf(
    { accountId, projectId }: Principal,
    { ssh_keys = [], ...body }: ImportImageForm & Pick<ImportImage, 'labels'>,
  ): Promise<WantedImport> {
    const { name, format, description = null, labels = {} } = body;
    const keys = await this.sshKeys.resolve(projectId, ssh_keys);
    const sshPublicKeys = keys.map(({ publicKey }) => publicKey);
    return { accountId, projectId, name, format, description, labels, sshPublicKeys };
  }

  /** The file goes to disk as it comes. Whatever is wrong with it, or with the form, leaves nothing of it. */
  private async fromForm(
    principal: Principal,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<StartedImport> {
    const { id } = await this.uploads.open(principal.projectId, null);
    try {
      const form = await this.receive(request, id);
      return await this.imports.fromUpload(await this.wantedOf(principal, form), id);
    } catch (error) {
      await this.uploads.discard(id);
      // What is still on its way is not read to its end.
      reply.header('connection', 'close');
      throw isTorn(error) ? new ApiError('invalid_input', 'the form ends before its last boundary') : error;
    }
  }

  private async receive(request: FastifyRequest, uploadId: number): Promise<ImportImageForm> {
    const fields: Record<string, unknown> = {};
    let bytes: number | undefined;
    const limits = { ...FORM_LIMITS, fileSize: this.settings.maxFileBytes };
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') {
        fields[part.fieldname] = part.value;
      } else if (part.fieldname === 'file') {
        const to = createWriteStream(this.store.uploadPath(uploadId), { flags: 'wx', mode: 0o600 });
        await pipeline(part.file, to);
        if (part.file.truncated) throw tooLarge(this.settings);
        bytes = to.bytesWritten;
      } else
        throw new ApiError('invalid_input', `the file's part must be called file, not ${part.fieldname}`);
    }
    const form = importImageForm.safeParse(fields);
    if (!form.success) throw toInvalidInput(form.error.issues);
    if (bytes === undefined) {
      const fields = [{ name: 'file', messages: ['is missing'] }];
      throw new ApiError('invalid_input', "invalid input in field 'file': is missing", { fields });
    }
    await this.uploads.finish(uploadId, bytes);
    return form.data;
  }
}

/** As the parser of forms, which has no codes, tells it. */
function isTorn(error: unknown): boolean {
  return error instanceof Error && /unexpected end|terminated early|malformed|multipart/i.test(error.message);
}

function present({ image, action }: StartedImport) {
  return { image: presentImage(image), action: presentAction(action) };
}
