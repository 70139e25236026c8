# syntax=docker/dockerfile:1
# Servery's parts as images. Not run where Servery was written (there was no Docker): `npm run up` needs none.

FROM node:24-bookworm-slim AS build
WORKDIR /srv/servery
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /srv/servery
COPY --from=build /srv/servery/package.json ./
COPY --from=build /srv/servery/node_modules ./node_modules
COPY --from=build /srv/servery/dist ./dist
COPY --from=build /srv/servery/catalog ./catalog
# A volume that is mounted empty takes over whose its folder is.
RUN cd /var/lib && mkdir -p servery/images servery/exports servery/imports servery/cooks && chown -R node:node servery

# The API looks at disks that are uploaded, in the sandbox of scripts/packages/disks.txt.
FROM runtime AS api
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap e2fsprogs qemu-utils util-linux \
  && rm -rf /var/lib/apt/lists/*
USER node
EXPOSE 8080
CMD ["node", "dist/apps/api/main.js"]

# The worker reaches hypervisor hosts with libvirt's client over SSH or TLS, cooks images (as scripts/packages/cook.txt
# has it), makes file systems of volumes (volumes.txt), and makes exports. Cooks without root hand out ids, of which `node` gets a range.
FROM runtime AS worker
RUN apt-get update \
  && apt-get install -y --no-install-recommends libvirt-clients openssh-client netcat-openbsd genisoimage zstd \
     apt bubblewrap debian-archive-keyring dosfstools e2fsprogs fdisk mmdebstrap mount mtools qemu-utils uidmap util-linux xfsprogs \
  && rm -rf /var/lib/apt/lists/* \
  && (grep -q ^node: /etc/subuid || usermod --add-subuids 100000-165535 --add-subgids 100000-165535 node)
USER node
CMD ["node", "dist/apps/worker/main.js"]

# The web app's files behind a server that passes /v1 on to the API.
FROM nginx:1.28-alpine AS storefront
COPY --from=build /srv/servery/dist/apps/storefront /usr/share/nginx/html
COPY apps/cli/compose/storefront.conf /etc/nginx/conf.d/default.conf
EXPOSE 80
