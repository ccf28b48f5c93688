"""Peak memory of autoencoder_spectrum beyond its input, for growing numbers of samples, each in its own process.

Run with: python benchmarks/jacobians/peak_memory.py
"""

import subprocess
import sys

MEASURED = """
import resource, torch, geolatent as gl
torch.set_num_threads(2)
model = gl.models.MLPAutoencoder(784, 20, generator=torch.Generator().manual_seed(0)).eval()
x = torch.rand({count}, 784)
gl.jacobians.autoencoder_spectrum(model.encoder, model.decoder, x[:10], of="both")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
gl.jacobians.autoencoder_spectrum(model.encoder, model.decoder, x, of="both", max_memory={budget!r})
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, {count} * 2 * 20 * 8 / 2**20)
"""

if __name__ == "__main__":
    for budget in ("64MiB", None):
        for count in (1_000, 10_000, 70_000):
            command = [sys.executable, "-P", "-c", MEASURED.format(count=count, budget=budget)]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            peak, result = map(float, done.stdout.split())
            print(f"max_memory={budget}, {count} samples: {peak:.0f} MiB, of which the result is {result:.0f} MiB")
