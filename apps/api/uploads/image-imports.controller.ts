import { Body, Controller, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { SshKeysService } from '#libs/accounts';
import { type ImportImage, type ImportImageForm, importImage, importImageResponse } from '#libs/contracts';
import { ImageImports, type StartedImport, type WantedImport } from '#libs/imports';
import { OrdersService } from '#libs/orders';
import { presentAction } from '../actions/action.presenter.ts';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { presentImage } from '../catalog/image.presenter.ts';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import type { RequestWithForm } from './form.interceptor.ts';
import { FORM } from './streamed-bodies.ts';

/** Disks that customers bring along. */
@Controller('v1/images/import')
export class ImageImportsController {
  constructor(
    private readonly imports: ImageImports,
    private readonly orders: OrdersService,
    private readonly sshKeys: SshKeysService,
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
    idempotent: true,
  })
  async import(
    @CurrentPrincipal() principal: Principal,
    @ResourceId() imageId: number,
    @Body({ schema: importImage.optional() }) body: ImportImage | undefined,
    @Req() { form }: RequestWithForm,
  ) {
    if (form) {
      const wanted = await this.wantedOf(imageId, principal, form.fields);
      return present(await this.imports.fromUpload(wanted, form.uploadId));
    }
    if (body === undefined) throw new ApiError('invalid_input', 'the body is missing');
    await this.orders.assertMayOrder(principal.accountId);
    const { upload, url } = body;
    const wanted = await this.wantedOf(imageId, principal, body);
    if (url !== undefined) return present(await this.imports.fromUrl(wanted, url));
    return present(await this.imports.fromUpload(wanted, Number(upload)));
  }

  private async wantedOf(
    imageId: number,
    { accountId, projectId }: Principal,
    { ssh_keys = [], ...body }: ImportImageForm & Pick<ImportImage, 'labels'>,
  ): Promise<WantedImport> {
    const { name, format, description = null, labels = {} } = body;
    const keys = await this.sshKeys.resolve(projectId, ssh_keys);
    const sshPublicKeys = keys.map(({ publicKey }) => publicKey);
    return { imageId, accountId, projectId, name, format, description, labels, sshPublicKeys };
  }
}

function present({ image, action }: StartedImport) {
  return { image: presentImage(image), action: presentAction(action) };
}
