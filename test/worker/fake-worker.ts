// A worker with the fake engine, exposed the way src/worker/worker-entry.ts exposes the real one.
import { expose } from 'comlink';
import { createEngineHost } from '../../src/worker/engine-host.ts';
import { installFaultTransfer } from '../../src/worker/fault-transfer.ts';
import { startFakeEngine } from './fake-engine.ts';

installFaultTransfer();
expose(createEngineHost(startFakeEngine));
