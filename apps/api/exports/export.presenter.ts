import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '#libs/config';
import type { ExportWire } from '#libs/contracts';
import { DownloadLinks, type Export } from '#libs/exports';
import { type Clock, systemClock } from '#libs/kernel';
import type { Principal } from '../auth/principal.ts';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

/** A link outlasts the download of a large disk over a slow line; another one is had by asking again. */
const LINK_SECONDS = 24 * 3600;

@Injectable()
export class ExportPresenter {
  private readonly clock: Clock = systemClock;

  constructor(
    private readonly links: DownloadLinks,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /** A disk holds keys and passwords: a token that may only read sees that there is a file, and does not get it. */
  present(one: Export, principal: Principal): ExportWire {
    const mayTake = principal.kind === 'session' || principal.access === 'read_write';
    return {
      id: one.id,
      status: one.state,
      format: one.format,
      progress: one.progress,
      created_from: createdFrom(one),
      created: wireTime(one.createdAt),
      finished: wireTimeOrNull(one.finishedAt),
      expires: wireTimeOrNull(one.expiresAt),
      file_name: one.fileName,
      size_bytes: one.sizeBytes,
      sha256: one.sha256,
      error: one.errorCode === null ? null : { code: one.errorCode, message: one.errorMessage ?? '' },
      download: mayTake ? this.download(one) : null,
    };
  }

  private download({ id, state, expiresAt }: Export): ExportWire['download'] {
    if (state !== 'available' || !expiresAt) return null;
    const leftSeconds = Math.floor((expiresAt.getTime() - this.clock.now().getTime()) / 1000);
    if (leftSeconds <= 0) return null;
    const { expires, signature } = this.links.sign(id, Math.min(LINK_SECONDS, leftSeconds));
    const to = (what: 'download' | 'manifest') => {
      const url = new URL(`/v1/exports/${id}/${what}`, this.environment.SERVERY_URL);
      url.search = new URLSearchParams({ expires: String(expires), signature }).toString();
      return url.href;
    };
    return { url: to('download'), manifest_url: to('manifest'), expires: wireTime(new Date(expires * 1000)) };
  }
}

function createdFrom({ serverId, imageId, sourceName: name }: Export): ExportWire['created_from'] {
  if (serverId !== null) return { type: 'server', id: serverId, name };
  if (imageId !== null) return { type: 'image', id: imageId, name };
  throw new Error('an export is of a server or of an image');
}
