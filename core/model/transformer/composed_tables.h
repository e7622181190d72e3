// ComposedTables: the arithmetic of RowComposition on LibTorch tensors, with its gradient.
//
// Both tables [V, d] are computed once per step and serve all micro-batches; their gradients come back once per step.
// The work is V * leaves * d multiply-adds for each, done leaf position by leaf position on any device.
//
// Internal to core/model and core/train (LibTorch types). Methods may throw c10::Error.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <memory>
#include <vector>

#include "core/checkpoint/parameter_layout.h"
#include "core/model/row_composition.h"

namespace clm {

class ComposedTables {
 public:
  // `weights` and `layout` belong to the same transformer and outlive this object.
  ComposedTables(const ParameterLayout& layout, std::shared_ptr<const RowComposition> composition, int64_t width,
                 at::Device device);

  const RowComposition& composition() const { return *composition_; }
  at::Tensor& input() { return input_; }                      // [V, d]
  at::Tensor& output() { return output_; }                    // [V, d]
  at::Tensor& input_gradient() { return input_gradient_; }    // [V, d], empty before EnableGradients()
  at::Tensor& output_gradient() { return output_gradient_; }  // [V, d]

  void EnableGradients();
  // Recomputes both tables from the flat weights.
  void Compose(const at::Tensor& weights);
  // Adds to the flat `gradients` what the gradients of the two tables mean for the factored parameters.
  void Backward(const at::Tensor& weights, at::Tensor& gradients) const;

 private:
  // The rows that have a leaf at one position, and which.
  struct Position {
    at::Tensor rows;    // [n] int64
    at::Tensor leaves;  // [n] int64
    at::Tensor scale;   // [n, 1] k^(-1/2); 1 for base symbols
  };
  struct Factors {
    at::Tensor base;                             // [V0, d]
    at::Tensor input_gates;                      // [K, d]
    at::Tensor output_gates;                     // [K, d]
    at::Tensor input_residual, output_residual;  // undefined when there are no such rows
  };
  Factors FactorsOf(const at::Tensor& flat) const;

  const ParameterLayout& layout_;
  const std::shared_ptr<const RowComposition> composition_;
  std::vector<Position> positions_;
  at::Tensor input_, output_, input_gradient_, output_gradient_;
};

}  // namespace clm
