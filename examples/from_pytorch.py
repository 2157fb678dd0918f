"""Ten lines of PyTorch, and the same ten of Tapegrad in from_pytorch.ts. Both print the same numbers."""
import torch
from torch import nn

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
x, y = torch.randn(32, 4), torch.randint(0, 3, (32,))
for step in range(5):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.12f}")
print(f"running mean of channel 0: {net[1].running_mean[0].item():.12f}")
