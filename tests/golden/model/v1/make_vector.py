"""Writes tiny_llama/ (config.json, model.safetensors) and expected_logits.safetensors beside this file.

Run once with torch and transformers installed:  python3 make_vector.py
The test core/model compares our logits of `input_ids` with `logits`, so what matters is transformers' arithmetic, not
its random numbers; a new run gives other weights and an equally good vector.
"""
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

here = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
torch.manual_seed(7)
for name, tied in (("tiny_llama", False), ("tiny_llama_tied", True)):
    config = LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=56, num_hidden_layers=2,
                         num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16,
                         rms_norm_eps=1e-5, rope_theta=500.0, initializer_range=0.2, bos_token_id=63, eos_token_id=63,
                         tie_word_embeddings=tied)
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for norm in [p for n, p in model.named_parameters() if "norm" in n]:
            norm.uniform_(0.5, 1.5)
    model.save_pretrained(here / name, safe_serialization=True)
    (here / name / "generation_config.json").unlink(missing_ok=True)
    input_ids = torch.randint(0, 64, (3, 16))
    with torch.no_grad():
        logits = model(input_ids=input_ids).logits
    save_file({"input_ids": input_ids.to(torch.int32), "logits": logits.contiguous()},
              here / name / "expected_logits.safetensors")
print("torch", torch.__version__, "transformers", transformers.__version__)
